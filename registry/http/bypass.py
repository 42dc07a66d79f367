"""Bytes past the event loop: what workers do on a connection's socket, and what is done where they cannot."""

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
    """What is needed of a connection whose bytes pass through the loop."""

    def write(self, data: bytes | bytearray) -> None:
        """Queue bytes to the client."""
        ...

    async def drained(self) -> None:
        """Wait until the client takes bytes again."""
        ...


class Bypass:
    """One connection's.

    Args:
        transport: of the connection.
        means: workers and patience.
        direct: whether workers may use the socket.
    """

    def __init__(self, transport: asyncio.Transport, means: ConnectionContext, *, direct: bool) -> None:
        self.direct = direct
        self._transport = transport
        self._means = means
        self._link: SocketHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether a body is waited for that a worker is to receive."""
        return self._link is not None and self._link.waits

    def came(self) -> int:
        """Bytes that have come and no worker has received yet."""
        return 0 if self._link is None else self._link.came()

    def taken(self, written: int) -> int | None:
        """Bytes that the client has, over the whole connection; `None` while nothing waits for it to take more.

        `written`: bytes that were given to the transport.
        """
        queued = self._transport.get_write_buffer_size()
        blocked, sent = (False, 0) if self._link is None else (self._link.blocked, self._link.sent)
        if not queued and not blocked:
            return None
        return written - queued + sent - underway(self._transport.get_extra_info("socket"))

    def end(self) -> None:
        """A worker that waits for the client, or sends to it, sees that it has left."""
        if self._link is not None:
            self._link.end()

    def end_reading(self) -> None:
        """A worker that receives sees the end of the stream."""
        if self._link is not None:
            self._link.end_reading()

    def close(self) -> None:
        """The connection is over."""
        if self._link is not None:
            self._link.close()

    def link(self) -> SocketHandle:
        """The socket's duplicate, made when it is first needed."""
        if self._link is None:
            self._link = SocketHandle(self._transport)
        return self._link

    async def receive(self, framing: Framing, sink: Sink, pieces: Sequence[memoryview]) -> tuple[int, bytes]:
        """See `receive_body`."""
        patience = self._means.waiting.stall_seconds
        return await receive_body(self.link(), Body(framing, sink, pieces), self._means.pool, patience)

    async def send_window(self, head: bytes, window: Window, writer: Writer) -> None:
        """Past the event loop where nothing queued stands before it; else in pieces.

        Raises:
            ConnectionError, PeerStalled: the client has left, or takes nothing.
            FileRefused: the file cannot be opened; nothing has left.
            OSError: any other: it cannot be read to its end.
        """
        if self.direct and await self._flushed():
            await send_window(self.link(), head, window, self._means.pool, self._means.waiting.stall_seconds)
            return
        begun = False
        try:
            async with aclosing(read_window(window, self._means.pool)) as pieces:
                async for piece in pieces:
                    if self._transport.is_closing():
                        raise ConnectionResetError("the peer has left")
                    if not begun:
                        begun = True
                        writer.write(head)  # not before the file is open and gives bytes
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
