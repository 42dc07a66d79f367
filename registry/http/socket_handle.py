"""A worker thread's hold on a socket: a duplicate descriptor, used while the event loop leaves the connection alone."""

import asyncio
import fcntl
import os
import select
import socket
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

GRACE = 2
"""Milliseconds a worker waits for a slow peer before it gives its thread back and the event loop waits instead."""


class PeerStalled(Exception):
    """The peer took or sent nothing for too long."""


class SocketHandle:
    """A duplicate of a connected TCP socket. It shares the original's modes: both are non-blocking.

    A connection makes one when it first needs it, and closes it at its own end. Whoever uses it just then keeps it
    open (`with link:`) until that use is over: the number of a descriptor that is used never names another file.

    Attributes:
        waits: whether the event loop waits for the peer to send.
        blocked: whether the event loop waits for the peer to take what is sent.
        sent: bytes that workers have sent.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        if transport.is_closing():
            raise ConnectionResetError("the peer has left")
        original = transport.get_extra_info("socket")
        self.socket = socket.socket(original.family, socket.SOCK_STREAM, 0, os.dup(original.fileno()))
        self.waits = self.blocked = False
        self.sent = 0
        self._lock = threading.Lock()
        self._users = 0
        self._over = False
        self._low_water = 1

    def __enter__(self) -> Self:
        """The link itself. Raises ConnectionResetError when the connection is over."""
        with self._lock:
            if self._over:
                raise ConnectionResetError("the connection is over")
            self._users += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The use is over."""
        with self._lock:
            self._users -= 1
            self._close_unused()

    def close(self) -> None:
        """Let go of the duplicate; where it is in use, at the end of that."""
        with self._lock:
            self._over = True
            self._close_unused()

    def wake_at(self, count: int) -> None:
        """How many bytes must have come before the socket counts as readable (SO_RCVLOWAT)."""
        if count != self._low_water:
            self._low_water = count
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)

    def came(self) -> int:
        """How many bytes have come and were not received yet."""
        with self:
            return int.from_bytes(fcntl.ioctl(self.socket, termios.FIONREAD, bytes(4)), sys.byteorder)

    def end_reading(self) -> None:
        """Receive what has come, and nothing more: whoever receives then sees the end of the stream."""
        with suppress(OSError), self:
            self.socket.shutdown(socket.SHUT_RD)

    def end(self) -> None:
        """Whoever waits for the peer or sends to it sees that it is over."""
        with suppress(OSError), self:
            self.socket.shutdown(socket.SHUT_RDWR)

    def ready(self, events: int) -> bool:
        """Wait in a worker thread, briefly; `False` when the event loop should wait instead."""
        poll = select.poll()
        poll.register(self.socket, events)
        return bool(poll.poll(GRACE))

    async def readable(self, seconds: float) -> None:
        """Wait in the event loop until it is to be woken. Raises PeerStalled when no byte comes for so long."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        with self:
            loop.add_reader(self.socket, woken.set)
            self.waits = True
            try:
                before = -1
                while not await _within(seconds, woken):
                    now = self.came()
                    if now <= max(before, 0):
                        raise PeerStalled
                    before = now  # too few to be woken for, and yet it sends
            finally:
                self.waits = False
                loop.remove_reader(self.socket)

    def when_writable(self, seconds: float, then: Callable[[BaseException | None], None]) -> Callable[[], None]:
        """Wait in the event loop without a task.

        Args:
            seconds: how long at most.
            then: called with `None` once the peer takes bytes, or with PeerStalled.

        Returns:
            what ends the waiting before that; `then` is not called any more.

        Raises:
            ConnectionResetError: the connection is over.
        """
        loop = asyncio.get_running_loop()
        self.__enter__()
        waits = self.blocked = True

        def stop() -> None:
            nonlocal waits
            if waits:
                waits = self.blocked = False
                timer.cancel()
                loop.remove_writer(self.socket)
                self.__exit__(None, None, None)

        def end(error: BaseException | None) -> None:
            stop()
            then(error)

        loop.add_writer(self.socket, end, None)
        timer = loop.call_later(seconds, end, PeerStalled())
        return stop

    def _close_unused(self) -> None:
        if self._over and not self._users:
            self.socket.close()


def underway(original: socket.socket) -> int:
    """Bytes that were given to a TCP socket and that the peer has not acknowledged (SIOCOUTQ)."""
    return int.from_bytes(fcntl.ioctl(original.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)


async def _within(seconds: float, woken: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        return False
    return True
