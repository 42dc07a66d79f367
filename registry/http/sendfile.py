"""Files to sockets without passing through the interpreter: sendfile in worker threads, slice by slice."""

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
"""Bytes one turn of a worker sends at most, so that many transfers share few threads."""
CALL = 8 << 20
"""Bytes one system call is asked to send."""


@dataclass(frozen=True, slots=True)
class Window:
    """`count` bytes of a file from `offset`; `size` and `stamp` are what it must have, where they are known.

    A stamp is inode, size, and the times of the last changes of bytes and attributes in nanoseconds.
    """

    path: Path
    offset: int
    count: int
    size: int | None = None
    stamp: tuple[int, int, int, int] | None = None


class FileRefused(OSError):
    """A file that cannot be opened: no byte of the response has left, the application may give another."""


PATHSEND: dict[str, Any] = {"refused": FileRefused}
"""What the extension `http.response.pathsend` of ASGI offers beside itself."""


async def send_window(link: SocketHandle, head: bytes, window: Window, pool: Executor, patience: float) -> None:
    """Send a response's head and then the window, past the transport, whose own buffer must be empty.

    Raises:
        FileRefused: the file cannot be opened; nothing has left.
        OSError: as `Sending` says.
        PeerStalled: the peer took nothing for `patience` seconds.
    """
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell(error: BaseException | None) -> None:
        if error is None:
            over.set_result(None)
        else:
            over.set_exception(error)

    sending = Sending(link, head, window, pool, patience, tell)
    try:
        sending.begin()
        await over
    except ConnectionError:
        raise
    except OSError as error:
        if sending.started:
            raise
        raise FileRefused from error
    finally:
        sending.close()


class Sending:
    """One response on its way. Its file is open from the first turn of a worker to the end of the last.

    The file is opened, sent and closed in one turn of a worker, when it is short and the peer takes it at once.

    Args:
        link: to the peer.
        head: of the response.
        window: its body.
        pool: where workers take turns.
        patience: seconds a peer may take nothing.
        over: called once in the event loop's thread, unless `close` comes first: with `None` when everything has left,
            OSError when the file is gone, of another size or too short (EIO), or the peer has left (ConnectionError),
            or PeerStalled.

    Attributes:
        sent: bytes of the window that have left.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        link: SocketHandle,
        head: bytes,
        window: Window,
        pool: Executor,
        patience: float,
        over: Callable[[BaseException | None], None],
    ) -> None:
        self.sent = 0
        self._link = link
        self._size = len(head)
        self._head = memoryview(head)
        self._window = window
        self._pool = pool
        self._patience = patience
        self._tell = over
        self._loop = asyncio.get_running_loop()
        self._file = -1
        self._lock = threading.Lock()
        self._over = False
        self._stop_waiting: Callable[[], None] | None = None

    @property
    def started(self) -> bool:
        """Whether any byte of the head has left."""
        return len(self._head) < self._size

    def begin(self) -> None:
        """Give it to the workers; called once."""
        self._pool.submit(self._go_on)

    def close(self) -> None:
        """Let go of everything; a worker that still sends does so at the end of its slice, and nobody is told."""
        self._over = True
        if self._stop_waiting is not None:
            self._stop_waiting()
        if self._lock.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._lock.release()

    # in a worker's thread

    def _go_on(self) -> None:
        """One turn of a worker."""
        slow, error = False, None
        try:
            with self._link, self._lock:
                try:
                    slow = self._send_slice()
                finally:
                    if self._over or self._complete:
                        self._close()
        except Exception as caught:  # noqa: BLE001 - told in the event loop's thread
            error = caught
        if error is None and not slow and not self._complete and not self._over:
            self._pool.submit(self._go_on)  # behind the others
        else:
            self._loop.call_soon_threadsafe(self._went, error)

    @property
    def _complete(self) -> bool:
        return self.sent == self._window.count and not self._head

    def _send_slice(self) -> bool:
        """Whether the peer is slow and must be waited for."""
        if self._file < 0:
            self._file = self._opened()
        stop = min(self.sent + SLICE, self._window.count)
        while self._head or self.sent < stop:
            try:
                self._send(stop)
            except BlockingIOError:
                if not self._link.ready(select.POLLOUT):
                    return True
        return False

    def _opened(self) -> int:
        path, size, stamp = self._window.path, self._window.size, self._window.stamp
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        if size is not None:
            found = os.fstat(file)
            if found.st_size != size or (stamp is not None and _stamp_of(found) != stamp):
                os.close(file)
                raise OSError(f"file {path} is not what it was any more")
        return file

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _send(self, stop: int) -> None:
        if self._head:
            more = socket.MSG_MORE if self.sent < stop else 0
            gone = self._link.socket.send(self._head, more)
            self._head = self._head[gone:]
            self._link.sent += gone
            return
        at = self._window.offset + self.sent
        sent = os.sendfile(self._link.socket.fileno(), self._file, at, min(CALL, stop - self.sent))
        if not sent:
            raise ends_early(self._window.path, at)
        self.sent += sent
        self._link.sent += sent

    # in the event loop's thread

    def _went(self, error: BaseException | None) -> None:
        if self._over:
            return
        if error is None and not self._complete:
            try:
                self._stop_waiting = self._link.when_writable(self._patience, self._waited)
            except ConnectionError as left:
                self._end(left)
        else:
            self._end(error)

    def _waited(self, error: BaseException | None) -> None:
        self._stop_waiting = None
        if error is None:
            self._pool.submit(self._go_on)
        else:
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        self.close()
        self._tell(error)


def ends_early(file: Path, at: int) -> OSError:
    """What is raised when a file ends at byte `at`, before the end of a window."""
    return OSError(f"file {file} ends at byte {at}, before the part that was promised to a client")


def _stamp_of(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
