"""A duplicate of a connection's socket for worker threads, used while the event loop does not use the connection."""

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
"""Milliseconds that a worker waits for a slow peer before the event loop waits instead."""


class PeerStalled(Exception):
    """The peer has taken or sent nothing for too long."""


class SocketHandle:
    """A duplicate of a connected TCP socket; like the original, it is non-blocking.

    A connection makes one on first use and closes it at its end. Users keep it open meanwhile (`with handle:`), so that
    the number of a descriptor in use never names another file.

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
        """Keep the socket open. Raises ConnectionResetError when the connection is over."""
        with self._lock:
            if self._over:
                raise ConnectionResetError("the connection is over")
            self._users += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the socket if it is unused and the connection is over."""
        with self._lock:
            self._users -= 1
            self._close_unused()

    def close(self) -> None:
        """Close the duplicate, at the end of its use."""
        with self._lock:
            self._over = True
            self._close_unused()

    def wake_at(self, count: int) -> None:
        """Set how many received bytes make the socket readable (SO_RCVLOWAT)."""
        if count != self._low_water:
            self._low_water = count
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)

    def unread(self) -> int:
        """The number of bytes in the receive buffer (FIONREAD)."""
        with self:
            return int.from_bytes(fcntl.ioctl(self.socket, termios.FIONREAD, bytes(4)), sys.byteorder)

    def end_reading(self) -> None:
        """Shut reading down: the end of the stream follows the bytes in the receive buffer."""
        with suppress(OSError), self:
            self.socket.shutdown(socket.SHUT_RD)

    def end(self) -> None:
        """Shut the socket down: waiting and sending end."""
        with suppress(OSError), self:
            self.socket.shutdown(socket.SHUT_RDWR)

    def ready(self, events: int) -> bool:
        """Wait briefly in a worker thread; `False` when the event loop should wait instead."""
        poll = select.poll()
        poll.register(self.socket, events)
        return bool(poll.poll(GRACE))

    async def readable(self, seconds: float) -> None:
        """Wait in the event loop until the socket is readable. Raises PeerStalled after `seconds` without a byte."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        with self:
            loop.add_reader(self.socket, woken.set)
            self.waits = True
            try:
                before = -1
                while not await _within(seconds, woken):
                    now = self.unread()
                    if now <= max(before, 0):
                        raise PeerStalled
                    before = now  # too few bytes to be readable, but the peer sends
            finally:
                self.waits = False
                loop.remove_reader(self.socket)

    def when_writable(self, seconds: float, then: Callable[[BaseException | None], None]) -> Callable[[], None]:
        """Wait in the event loop, without a task, until the peer takes bytes.

        Args:
            seconds: how long at most.
            then: called with `None` once the peer takes bytes, or with PeerStalled.

        Returns:
            A function that ends the waiting; `then` is not called after it.

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
    """Bytes given to a TCP socket that the peer has not acknowledged (SIOCOUTQ)."""
    return int.from_bytes(fcntl.ioctl(original.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)


async def _within(seconds: float, woken: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        return False
    return True
