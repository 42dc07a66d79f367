"""A TLS connection: decrypted bytes come in large pieces instead of one for each record of 16 KiB."""

import asyncio

from registry.http.connection import Connection

BUFFER = 1 << 18
"""Bytes decrypted at once; all connections of a server share one buffer."""


class SecureConnection(asyncio.BufferedProtocol):
    """Passes everything to a `Connection`, the received bytes from a shared buffer.

    The event loop gets the buffer, fills it and calls `buffer_updated` without a break, so connections can share it.
    """

    def __init__(self, inner: Connection, buffer: memoryview) -> None:
        self._inner = inner
        self._buffer = buffer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is complete."""
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._inner.connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """The buffer for decrypted bytes."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Process decrypted bytes."""
        self._inner.data_received(bytes(self._buffer[:nbytes]))

    def pause_writing(self) -> None:
        """Stop writing: the client takes bytes slowly."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Go on writing."""
        self._inner.resume_writing()
