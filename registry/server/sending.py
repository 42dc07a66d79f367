"""Files to sockets without passing through the interpreter: sendfile in worker threads, slice by slice."""

import asyncio
import os
import select
import socket
import threading
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


async def send_window(link: Link, head: bytes, window: Window, pool: Executor, patience: float) -> None:
    """Send a response's head and then the window, past the transport, whose own buffer must be empty.

    The file is opened, sent and closed in one turn of a worker, when it is short and the peer takes it at once.

    Raises:
        OSError: the file is gone, is shorter than the window (EIO), or the peer has left.
        PeerStalled: the peer took nothing for `patience` seconds.
    """
    loop = asyncio.get_running_loop()
    sending = _Sending(link, head, window)
    try:
        while not sending.complete:
            if await loop.run_in_executor(pool, sending.go_on):
                await link.writable(patience)
    finally:
        sending.close()


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


class _Sending:
    """One response on its way. Its file is open from the first turn of a worker to the end of the last."""

    def __init__(self, link: Link, head: bytes, window: Window) -> None:
        self._link = link
        self._head = memoryview(head)
        self._path = window.path
        self._at, self._end = window.offset, window.offset + window.count
        self._file = -1
        self._lock = threading.Lock()
        self._over = False

    @property
    def complete(self) -> bool:
        """Whether everything has left."""
        return self._at == self._end and not self._head

    def go_on(self) -> bool:
        """Send a slice, in a worker thread; whether the peer is slow and must be waited for."""
        with self._link, self._lock:
            try:
                return self._send_slice()
            finally:
                if self._over or self.complete:
                    self._close()

    def close(self) -> None:
        """Let go of the file; a worker that still sends does so at the end of its slice."""
        self._over = True
        if self._lock.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._lock.release()

    def _send_slice(self) -> bool:
        if self._file < 0:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        stop = min(self._at + SLICE, self._end)
        while self._head or self._at < stop:
            try:
                self._send(stop)
            except BlockingIOError:
                if not self._link.ready(select.POLLOUT):
                    return True
        return False

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _send(self, stop: int) -> None:
        if self._head:
            more = socket.MSG_MORE if self._at < stop else 0
            self._head = self._head[self._link.socket.send(self._head, more) :]
            return
        sent = os.sendfile(self._link.socket.fileno(), self._file, self._at, min(CALL, stop - self._at))
        if not sent:
            raise _short(self._path, self._at)
        self._at += sent


def _short(file: Path, at: int) -> OSError:
    return OSError(f"file {file} ends at byte {at}, before the part that was promised to a client")
