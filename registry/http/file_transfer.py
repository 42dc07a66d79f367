"""Sends a cached response whose body is a file; it takes the place of a request cycle on the connection."""

from typing import Any, Protocol

import structlog

from registry.http.cached_file import CachedFile
from registry.http.context import ConnectionContext
from registry.http.sendfile import Sending
from registry.http.socket_handle import PeerStalled, SocketHandle


class Sender(Protocol):
    """The connection, as a transfer uses it."""

    def delivered(self, transfer: "FileTransfer") -> None:
        """The whole response is sent."""
        ...

    def serve(self, raw: bytes) -> None:
        """Nothing was sent: let the application answer the request with this head."""
        ...

    def cut(self) -> None:
        """End the connection at once."""
        ...


class FileTransfer:
    """Sends one file without a task: workers send, and call back at the end or when the peer is slow.

    Args:
        raw: the head of the request.
        file: the cached response.
        handle: of the connection's socket.
        context: has the workers and deadlines.
        sender: the connection.

    Attributes:
        keeps: whether the connection is used again afterwards.
        complete: always False: a finished transfer is detached from its connection.
    """

    complete = False

    def __init__(
        self, raw: bytes, file: CachedFile, handle: SocketHandle, context: ConnectionContext, sender: Sender
    ) -> None:
        self.keeps = True
        self._raw = raw
        self._file = file
        self._sender = sender
        self._tasks: set[Any] = set()
        self._sending = Sending(handle, file.head, file.window, context.pool, context.waiting.stall_seconds, self._over)

    def begin(self, tasks: set[Any]) -> None:
        """Send. Until its end the transfer is one of the server's tasks, and is cancelled like them."""
        self._tasks = tasks
        tasks.add(self)
        self._file.begin()
        self._sending.begin()

    def disconnect(self) -> None:
        """Do nothing: the client is gone, and the next attempt to send fails."""

    def cancel(self, msg: str = "") -> None:  # noqa: ARG002 - called as uvicorn calls it
        """Stop sending: the server ends."""
        self._sending.close()
        self._cut()

    def _over(self, error: BaseException | None) -> None:
        self._tasks.discard(self)
        if error is None:
            self._file.finish(self._sending.sent)
            self._sender.delivered(self)
        elif isinstance(error, ConnectionError | PeerStalled):
            self._cut()
        elif not self._sending.started:
            # The file is gone or has changed: the application answers.
            self._file.withdraw()
            self._sender.serve(self._raw)
        else:
            _log().error("request failed", path=self._file.path, exc_info=error)
            self._cut()

    def _cut(self) -> None:
        self._file.finish(self._sending.sent)
        self._sender.cut()


def _log() -> Any:
    return structlog.get_logger(__name__)
