"""A connection under TLS: deciphered bytes come in one large piece instead of one for each record of 16 KiB."""

import asyncio

from registry.http.connection import Connection

BUFFER = 1 << 18
"""Bytes deciphered at once; one such buffer for all connections of a server."""


class SecureConnection(asyncio.BufferedProtocol):
    """Hands everything to a `Connection`, its bytes out of a buffer that is used again and again.

    The event loop asks for the buffer, fills it and says so in one go, so that all connections may share one.
    """

    def __init__(self, inner: Connection, buffer: memoryview) -> None:
        self._inner = inner
        self._buffer = buffer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come and shaken hands."""
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._inner.connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Where deciphered bytes are to be put."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """They are there."""
        self._inner.data_received(bytes(self._buffer[:nbytes]))

    def pause_writing(self) -> None:
        """The client takes bytes slowly."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The client takes bytes again."""
        self._inner.resume_writing()
