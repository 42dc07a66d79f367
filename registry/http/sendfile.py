"""Sends files to sockets with sendfile in worker threads, slice by slice."""

import asyncio
import os
import select
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.http.socket_handle import SocketHandle

SLICE = 32 << 20
"""The most bytes that a worker sends in one turn, so that many transfers share few threads."""
CALL = 8 << 20
"""The most bytes to send in one system call."""


@dataclass(frozen=True, slots=True)
class Window:
    """`count` bytes of a file from `offset`; `size` and `stamp`, when given, must be those of the file.

    A stamp is inode, size, mtime and ctime in nanoseconds.
    """

    path: Path
    offset: int
    count: int
    size: int | None = None
    stamp: tuple[int, int, int, int] | None = None


class FileRefused(OSError):
    """The file cannot be opened; nothing was sent, so the application may answer otherwise."""


PATHSEND: dict[str, Any] = {"refused": FileRefused}
"""The value of ASGI's extension `http.response.pathsend` in the scope."""


async def send_window(handle: SocketHandle, head: bytes, window: Window, pool: Executor, patience: float) -> None:
    """Send a response's head and the window without the transport, whose buffer must be empty.

    Raises:
        FileRefused: the file cannot be opened; nothing was sent.
        OSError: see `Sending`.
        PeerStalled: the peer took nothing for `patience` seconds.
    """
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def finish(error: BaseException | None) -> None:
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    sending = Sending(handle, head, window, pool, patience, finish)
    try:
        sending.begin()
        await done
    except ConnectionError:
        raise
    except OSError as error:
        if sending.started:
            raise
        raise FileRefused from error
    finally:
        sending.close()


class Sending:
    """Sends one response. Its file is open from the first turn of a worker to the end of the last.

    A short file that the peer takes at once is opened, sent and closed in one turn.

    Args:
        handle: of the socket.
        head: of the response.
        window: its body.
        pool: the workers.
        patience: seconds a peer may take nothing.
        on_end: called once in the event loop's thread, unless `close` comes first: with `None` when everything is sent,
            OSError when the file is gone, changed or too short, ConnectionError when the peer has left, or PeerStalled.

    Attributes:
        sent: bytes of the window that were sent.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        handle: SocketHandle,
        head: bytes,
        window: Window,
        pool: Executor,
        patience: float,
        on_end: Callable[[BaseException | None], None],
    ) -> None:
        self.sent = 0
        self._handle = handle
        self._size = len(head)
        self._head = memoryview(head)
        self._window = window
        self._pool = pool
        self._patience = patience
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._file = -1
        self._lock = threading.Lock()
        self._over = False
        self._stop_waiting: Callable[[], None] | None = None

    @property
    def started(self) -> bool:
        """Whether any byte of the head was sent."""
        return len(self._head) < self._size

    def begin(self) -> None:
        """Start sending; called once."""
        self._pool.submit(self._go_on)

    def close(self) -> None:
        """Close the file and stop, without calling `on_end`; a sending worker stops at the end of its slice."""
        self._over = True
        if self._stop_waiting is not None:
            self._stop_waiting()
        if self._lock.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._lock.release()

    # in worker threads

    def _go_on(self) -> None:
        """One turn of a worker."""
        slow, error = False, None
        try:
            with self._handle, self._lock:
                try:
                    slow = self._send_slice()
                finally:
                    if self._over or self._complete:
                        self._close()
        except Exception as caught:  # noqa: BLE001 - passed to the event loop's thread
            error = caught
        if error is None and not slow and not self._complete and not self._over:
            self._pool.submit(self._go_on)  # behind other transfers
        else:
            self._loop.call_soon_threadsafe(self._turn_ended, error)

    @property
    def _complete(self) -> bool:
        return self.sent == self._window.count and not self._head

    def _send_slice(self) -> bool:
        """Send a slice; returns whether the peer is slow and must be waited for."""
        if self._file < 0:
            self._file = self._opened()
        stop = min(self.sent + SLICE, self._window.count)
        while self._head or self.sent < stop:
            try:
                self._send(stop)
            except BlockingIOError:
                if not self._handle.ready(select.POLLOUT):
                    return True
        return False

    def _opened(self) -> int:
        path, size, stamp = self._window.path, self._window.size, self._window.stamp
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        if size is not None:
            status = os.fstat(file)
            if status.st_size != size or (stamp is not None and _stamp_of(status) != stamp):
                os.close(file)
                raise OSError(f"file {path} is not what it was any more")
        return file

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _send(self, stop: int) -> None:
        if self._head:
            flags = socket.MSG_MORE if self.sent < stop else 0
            count = self._handle.socket.send(self._head, flags)
            self._head = self._head[count:]
            self._handle.sent += count
            return
        offset = self._window.offset + self.sent
        sent = os.sendfile(self._handle.socket.fileno(), self._file, offset, min(CALL, stop - self.sent))
        if not sent:
            raise ends_early(self._window.path, offset)
        self.sent += sent
        self._handle.sent += sent

    # in the event loop's thread

    def _turn_ended(self, error: BaseException | None) -> None:
        if self._over:
            return
        if error is None and not self._complete:
            try:
                self._stop_waiting = self._handle.when_writable(self._patience, self._writable)
            except ConnectionError as left:
                self._end(left)
        else:
            self._end(error)

    def _writable(self, error: BaseException | None) -> None:
        self._stop_waiting = None
        if error is None:
            self._pool.submit(self._go_on)
        else:
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        self.close()
        self._on_end(error)


def ends_early(file: Path, offset: int) -> OSError:
    """The error for a file that ends at `offset`, before the end of a window."""
    return OSError(f"file {file} ends at byte {offset}, before the part that was promised to a client")


def _stamp_of(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
