"""A worker thread's hold on a socket: a duplicate descriptor, used while the event loop leaves the connection alone."""

import asyncio
import os
import select
import socket
from types import TracebackType
from typing import Self

GRACE = 2
"""Milliseconds a worker waits for a slow peer before it gives its thread back and the event loop waits instead."""


class PeerStalled(Exception):
    """The peer took or sent nothing for too long."""


class Link:
    """A duplicate of a connected TCP socket. It shares the original's modes: both are non-blocking."""

    def __init__(self, transport: asyncio.Transport) -> None:
        if transport.is_closing():
            raise ConnectionResetError("the peer has left")
        original = transport.get_extra_info("socket")
        self.socket = socket.socket(original.family, socket.SOCK_STREAM, 0, os.dup(original.fileno()))

    def __enter__(self) -> Self:
        """The link itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the duplicate; the connection stays."""
        self.socket.close()

    def ready(self, events: int) -> bool:
        """Wait in a worker thread, briefly; `False` when the event loop should wait instead."""
        poll = select.poll()
        poll.register(self.socket, events)
        return bool(poll.poll(GRACE))

    async def readable(self, seconds: float) -> None:
        """Wait in the event loop. Raises PeerStalled."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        loop.add_reader(self.socket, woken.set)
        try:
            await _within(seconds, woken)
        finally:
            loop.remove_reader(self.socket)

    async def writable(self, seconds: float) -> None:
        """Wait in the event loop. Raises PeerStalled."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        loop.add_writer(self.socket, woken.set)
        try:
            await _within(seconds, woken)
        finally:
            loop.remove_writer(self.socket)


async def _within(seconds: float, woken: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        raise PeerStalled from None
