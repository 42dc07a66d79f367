"""Bytes that bypass the event loop: workers use a connection's socket directly, if they can."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Protocol

from registry.http.body_framing import Framing
from registry.http.body_receiver import Body, Sink, receive_body
from registry.http.context import ConnectionContext
from registry.http.file_reader import read_window
from registry.http.sendfile import FileRefused, Window, send_window
from registry.http.socket_handle import SocketHandle, underway


class Writer(Protocol):
    """A connection that is written through the event loop."""

    def write(self, data: bytes | bytearray) -> None:
        """Queue bytes to the client."""
        ...

    async def drained(self) -> None:
        """Wait until the client takes bytes again."""
        ...


class Bypass:
    """The bypass of one connection.

    Args:
        transport: of the connection.
        context: has the workers and deadlines.
        direct: whether workers may use the socket.
    """

    def __init__(self, transport: asyncio.Transport, context: ConnectionContext, *, direct: bool) -> None:
        self.direct = direct
        self._transport = transport
        self._context = context
        self._handle: SocketHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether a worker's body is awaited."""
        return self._handle is not None and self._handle.waits

    def unread(self) -> int:
        """Bytes in the socket that no worker has received yet."""
        return 0 if self._handle is None else self._handle.unread()

    def taken(self, written: int) -> int | None:
        """Bytes that the client has acknowledged on this connection; `None` when nothing waits to be sent.

        `written`: bytes given to the transport so far.
        """
        queued = self._transport.get_write_buffer_size()
        blocked, sent = (False, 0) if self._handle is None else (self._handle.blocked, self._handle.sent)
        if not queued and not blocked:
            return None
        return written - queued + sent - underway(self._transport.get_extra_info("socket"))

    def end(self) -> None:
        """End waiting and sending in workers, as if the client had left."""
        if self._handle is not None:
            self._handle.end()

    def end_reading(self) -> None:
        """End the stream for a receiving worker."""
        if self._handle is not None:
            self._handle.end_reading()

    def close(self) -> None:
        """The connection is closed."""
        if self._handle is not None:
            self._handle.close()

    def link(self) -> SocketHandle:
        """The handle of the socket, made on first use."""
        if self._handle is None:
            self._handle = SocketHandle(self._transport)
        return self._handle

    async def receive(self, framing: Framing, sink: Sink, pieces: Sequence[memoryview]) -> tuple[int, bytes]:
        """See `receive_body`."""
        patience = self._context.waiting.stall_seconds
        return await receive_body(self.link(), Body(framing, sink, pieces), self._context.pool, patience)

    async def send_window(self, head: bytes, window: Window, writer: Writer) -> None:
        """Send head and file without the event loop if nothing is queued, else through it in pieces.

        Raises:
            ConnectionError, PeerStalled: the client has left, or takes nothing.
            FileRefused: the file cannot be opened; nothing was sent.
            OSError: the file cannot be read to its end.
        """
        if self.direct and await self._flushed():
            await send_window(self.link(), head, window, self._context.pool, self._context.waiting.stall_seconds)
            return
        begun = False
        try:
            async with aclosing(read_window(window, self._context.pool)) as pieces:
                async for piece in pieces:
                    if self._transport.is_closing():
                        raise ConnectionResetError("the peer has left")
                    if not begun:
                        begun = True
                        writer.write(head)  # only once the file is open and readable
                    writer.write(piece)
                    await writer.drained()
        except ConnectionError:
            raise
        except OSError as error:
            if begun:
                raise
            raise FileRefused from error

    async def _flushed(self) -> bool:
        for _ in range(3):
            if self._transport.get_write_buffer_size() == 0:
                return True
            await asyncio.sleep(0)
        return False
