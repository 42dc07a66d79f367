"""Accepts connections: counts them, refuses those over a limit, and recognises plain HTTP on a TLS port."""

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
"""Connections accepted in one iteration of the event loop."""
REST = 0.25
"""Seconds without accepting when descriptors or memory have run out; clients wait in the kernel's queue."""
_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_NOT_TLS = HeadRefused(400, "this is plain HTTP, and this port speaks HTTPS: write https:// in front of the address")


class Listener:
    """Accepts connections on one socket, as `asyncio.Server` does for uvicorn.

    Args:
        listening: the socket; its owner closes it.
        context: shared by the connections.
        limits: counts the connections.
        tls: the TLS context; `None` for plain HTTP.
    """

    def __init__(
        self,
        listening: socket.socket,
        context: ConnectionContext,
        limits: ConnectionLimits,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._context = context
        self._limits = limits
        self._listening = listening
        self._tls = tls
        self._buffer = memoryview(bytearray(BUFFER if tls else 0))
        self._loop = asyncio.get_running_loop()
        self._entering: set[asyncio.Task[None]] = set()
        self._resting: asyncio.TimerHandle | None = None
        self._log = structlog.get_logger(__name__)

    def open(self) -> None:
        """Start accepting."""
        self._resting = None
        self._listening.setblocking(False)
        self._loop.add_reader(self._listening.fileno(), self._accept)

    def close(self) -> None:
        """Stop accepting; unfinished handshakes are cancelled."""
        if self._resting is not None:
            self._resting.cancel()
        self._loop.remove_reader(self._listening.fileno())
        for task in self._entering:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until no handshake is under way."""
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
        """Pause accepting: the kernel would return the same error again at once."""
        self._log.error("no connection can be accepted", reason=error.strerror, seconds=REST)
        self._loop.remove_reader(self._listening.fileno())
        self._resting = self._loop.call_later(REST, self.open)

    def _admit(self, connected: socket.socket, address: str) -> None:
        slot = self._limits.take(address)
        if slot is None:
            connected.close()
            return
        connected.setblocking(False)
        task = self._loop.create_task(self._enter(connected, slot))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    async def _enter(self, connected: socket.socket, slot: ConnectionSlot) -> None:
        """Make a connection of a socket; close it on failure."""
        try:
            if self._tls is None:
                await self._loop.connect_accepted_socket(partial(Connection, self._context, slot), connected)
            else:
                await self._enter_securely(connected, slot, self._tls)
        except BaseException as error:
            slot.leave()
            connected.close()
            if not isinstance(error, OSError | asyncio.CancelledError):
                raise

    async def _enter_securely(self, connected: socket.socket, slot: ConnectionSlot, tls: ssl.SSLContext) -> None:
        head_seconds = self._context.waiting.head_seconds
        async with asyncio.timeout(head_seconds):
            first = await _first_byte(connected)
        if first in _LETTERS:
            slot.refusal = slot.refusal or _NOT_TLS
            await self._loop.connect_accepted_socket(partial(Connection, self._context, slot), connected)
            return
        await self._loop.connect_accepted_socket(
            lambda: SecureConnection(Connection(self._context, slot), self._buffer),
            connected,
            ssl=tls,
            ssl_handshake_timeout=head_seconds,
            ssl_shutdown_timeout=LINGER,
        )


async def _first_byte(connected: socket.socket) -> int:
    """The first byte of a client, left in the socket; 0 when it sends none."""
    try:
        return (connected.recv(1, socket.MSG_PEEK) or b"\0")[0]
    except BlockingIOError:
        pass
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(connected.fileno(), arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(connected.fileno())
    return (connected.recv(1, socket.MSG_PEEK) or b"\0")[0]
