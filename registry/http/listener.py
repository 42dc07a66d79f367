"""Where connections come in: counted, told when there are too many, and under TLS asked whether they speak it."""

import asyncio
import errno
import socket
import ssl
from functools import partial

import structlog

from registry.http.connection import LINGER, Connection
from registry.http.connection_limits import ConnectionLimits, ConnectionSlot
from registry.http.context import ConnectionContext
from registry.http.request_head import HeadRefused
from registry.http.tls_connection import BUFFER, SecureConnection

AT_ONCE = 64
"""Connections accepted in one go; others are served before the next."""
REST = 0.25
"""Seconds without accepting, when descriptors or memory have run out; who comes waits in the kernel's queue."""
_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_NOT_TLS = HeadRefused(400, "this is plain HTTP, and this port speaks HTTPS: write https:// in front of the address")


class Listener:
    """Accepts connections on one socket, as `asyncio.Server` does for uvicorn.

    Args:
        listening: the socket; it is its owner's to close.
        means: what connections share.
        seats: counts them.
        context: of TLS; `None` for plain HTTP.
    """

    def __init__(
        self,
        listening: socket.socket,
        means: ConnectionContext,
        seats: ConnectionLimits,
        context: ssl.SSLContext | None,
    ) -> None:
        self._means = means
        self._seats = seats
        self._listening = listening
        self._context = context
        self._buffer = memoryview(bytearray(BUFFER if context else 0))
        self._loop = asyncio.get_running_loop()
        self._entering: set[asyncio.Task[None]] = set()
        self._resting: asyncio.TimerHandle | None = None
        self._log = structlog.get_logger(__name__)

    def open(self) -> None:
        """Accept from now on."""
        self._resting = None
        self._listening.setblocking(False)
        self._loop.add_reader(self._listening.fileno(), self._accept)

    def close(self) -> None:
        """Accept no more; who has not shaken hands is sent away."""
        if self._resting is not None:
            self._resting.cancel()
        self._loop.remove_reader(self._listening.fileno())
        for task in self._entering:
            task.cancel()

    async def wait_closed(self) -> None:
        """Return once nobody is on the way in."""
        await asyncio.gather(*self._entering, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connected, peer = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _SCARCE:
                    self._rest(error)
                    return
                continue  # the client has left already
            self._admit(connected, str(peer[0]))

    def _rest(self, error: OSError) -> None:
        """The kernel would say the same at once again, and go on saying so."""
        self._log.error("no connection can be accepted", reason=error.strerror, seconds=REST)
        self._loop.remove_reader(self._listening.fileno())
        self._resting = self._loop.call_later(REST, self.open)

    def _admit(self, connected: socket.socket, address: str) -> None:
        seat = self._seats.take(address)
        if seat is None:
            connected.close()
            return
        connected.setblocking(False)
        task = self._loop.create_task(self._enter(connected, seat))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    async def _enter(self, connected: socket.socket, seat: ConnectionSlot) -> None:
        """Make it a connection; that of a client which fails in this is closed."""
        try:
            if self._context is None:
                await self._loop.connect_accepted_socket(partial(Connection, self._means, seat), connected)
            else:
                await self._enter_securely(connected, seat, self._context)
        except BaseException as error:
            seat.leave()
            connected.close()
            if not isinstance(error, OSError | asyncio.CancelledError):
                raise

    async def _enter_securely(self, connected: socket.socket, seat: ConnectionSlot, context: ssl.SSLContext) -> None:
        head_seconds = self._means.waiting.head_seconds
        async with asyncio.timeout(head_seconds):
            first = await _first_byte(connected)
        if first in _LETTERS:
            seat.refusal = seat.refusal or _NOT_TLS
            await self._loop.connect_accepted_socket(partial(Connection, self._means, seat), connected)
            return
        await self._loop.connect_accepted_socket(
            lambda: SecureConnection(Connection(self._means, seat), self._buffer),
            connected,
            ssl=context,
            ssl_handshake_timeout=head_seconds,
            ssl_shutdown_timeout=LINGER,
        )


async def _first_byte(connected: socket.socket) -> int:
    """What a client begins with, left where it is; 0 when it ends with nothing."""
    try:
        return (connected.recv(1, socket.MSG_PEEK) or b"\0")[0]
    except BlockingIOError:
        pass
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    loop.add_reader(connected.fileno(), came.set)
    try:
        await came.wait()
    finally:
        loop.remove_reader(connected.fileno())
    return (connected.recv(1, socket.MSG_PEEK) or b"\0")[0]
