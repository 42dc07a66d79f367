"""Bringing a remembered answer's file to a client: what occupies a connection when no request cycle does."""

from typing import Any, Protocol

import structlog

from registry.http.cached_file import CachedFile
from registry.http.context import ConnectionContext
from registry.http.sendfile import Sending
from registry.http.socket_handle import PeerStalled, SocketHandle


class Sender(Protocol):
    """What an errand needs of its connection."""

    def delivered(self, errand: "FileTransfer") -> None:
        """The answer has left whole."""
        ...

    def ask(self, raw: bytes) -> None:
        """Nothing has left: the application is to answer the request with this head."""
        ...

    def cut(self) -> None:
        """End the connection at once."""
        ...


class FileTransfer:
    """One file on its way, without a task: workers send, and call back when they are done or the peer is slow.

    Args:
        raw: head of the request.
        parcel: the answer to it.
        link: of the connection.
        means: workers and patience.
        sender: the connection.

    Attributes:
        keeps: whether the connection is used again afterwards.
        complete: always False: a finished transfer is detached from its connection.
    """

    complete = False

    def __init__(
        self, raw: bytes, parcel: CachedFile, link: SocketHandle, means: ConnectionContext, sender: Sender
    ) -> None:
        self.keeps = True
        self._raw = raw
        self._parcel = parcel
        self._sender = sender
        self._tasks: set[Any] = set()
        self._sending = Sending(link, parcel.head, parcel.window, means.pool, means.waiting.stall_seconds, self._over)

    def begin(self, tasks: set[Any]) -> None:
        """Send. The errand is one of the server's tasks until it is over, and is cancelled like them."""
        self._tasks = tasks
        tasks.add(self)
        self._parcel.begin()
        self._sending.begin()

    def disconnect(self) -> None:
        """The client is gone: the next attempt to send will say so."""

    def cancel(self, msg: str = "") -> None:  # noqa: ARG002 - called as uvicorn calls it
        """The server ends and waits no longer."""
        self._sending.close()
        self._cut()

    def _over(self, error: BaseException | None) -> None:
        self._tasks.discard(self)
        if error is None:
            self._parcel.tell(self._sending.sent)
            self._sender.delivered(self)
        elif isinstance(error, ConnectionError | PeerStalled):
            self._cut()
        elif not self._sending.started:
            # The file has gone or is not what it was: what that means is the application's to say.
            self._parcel.withdraw()
            self._sender.ask(self._raw)
        else:
            _log().error("request failed", path=self._parcel.path, exc_info=error)
            self._cut()

    def _cut(self) -> None:
        self._parcel.tell(self._sending.sent)
        self._sender.cut()


def _log() -> Any:
    return structlog.get_logger(__name__)
