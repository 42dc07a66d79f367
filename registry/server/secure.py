"""A connection under TLS: deciphered bytes come in one large piece instead of one for each record of 16 KiB."""

import asyncio
from functools import partial
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from registry.server.connection import Connection
from registry.server.means import Means

BUFFER = 1 << 18
"""Bytes deciphered at once; one such buffer for all connections of a server."""


def secure_connections(means: Means) -> partial["SecureConnection"]:
    """Makes the connections of a server."""
    return partial(SecureConnection, means=means, buffer=memoryview(bytearray(BUFFER)))


class SecureConnection(asyncio.BufferedProtocol):
    """Hands everything to a `Connection`, its bytes out of a buffer that is used again and again.

    The event loop asks for the buffer, fills it and says so in one go, so that all connections may share one.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        means: Means,
        buffer: memoryview,
    ) -> None:
        self._inner = Connection(config, server_state, app_state, _loop, means=means)
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
