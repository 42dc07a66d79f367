"""Files to sockets without passing through the interpreter: sendfile in worker threads, slice by slice."""

import asyncio
import os
import select
import socket
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from registry.server.link import Link

SLICE = 32 << 20
"""Bytes one turn of a worker sends at most, so that many transfers share few threads."""
CALL = 8 << 20
"""Bytes one system call is asked to send."""
PIECE = 1 << 18
"""Bytes read at once where sendfile cannot be used."""


@dataclass(frozen=True, slots=True)
class Window:
    """`count` bytes of a file from `offset`."""

    path: Path
    offset: int
    count: int


async def send_window(
    transport: asyncio.Transport, head: bytes, window: Window, pool: Executor, patience: float
) -> None:
    """Send a response's head and then the window, past the transport, whose own buffer must be empty.

    Raises:
        OSError: the file is gone, is shorter than the window (EIO), or the peer has left.
        PeerStalled: the peer took nothing for `patience` seconds.
    """
    loop = asyncio.get_running_loop()
    descriptor = await loop.run_in_executor(pool, os.open, window.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with Link(transport) as link:
            head_left: bytes | memoryview = head
            at, end = window.offset, window.offset + window.count
            while at < end or head_left:
                stop = min(at + SLICE, end)
                head_left, now = await loop.run_in_executor(pool, _send, link, head_left, descriptor, at, stop)
                if now < stop or head_left:
                    await link.writable(patience)
                at = now
    finally:
        os.close(descriptor)


async def read_window(window: Window, pool: Executor) -> AsyncIterator[bytes]:
    """The window in pieces, for connections that the kernel cannot send files to."""
    loop = asyncio.get_running_loop()
    descriptor = await loop.run_in_executor(pool, os.open, window.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        at, end = window.offset, window.offset + window.count
        while at < end:
            piece = await loop.run_in_executor(pool, os.pread, descriptor, min(PIECE, end - at), at)
            if not piece:
                raise _short(window.path, at)
            yield piece
            at += len(piece)
    finally:
        os.close(descriptor)


def _send(link: Link, head: bytes | memoryview, file: int, at: int, stop: int) -> tuple[bytes | memoryview, int]:
    """Send until `stop` or until the peer is slow; what is left of the head, and where it got to."""
    while head or at < stop:
        try:
            if head:
                head = head[link.socket.send(head, socket.MSG_MORE if at < stop else 0) :]
                continue
            sent = os.sendfile(link.socket.fileno(), file, at, min(CALL, stop - at))
        except BlockingIOError:
            if not link.ready(select.POLLOUT):
                break
            continue
        if not sent:
            raise _short(file, at)
        at += sent
    return head, at


def _short(file: Path | int, at: int) -> OSError:
    return OSError(f"file {file} ends at byte {at}, before the part that was promised to a client")
