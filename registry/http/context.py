"""The context that all connections of a server share: worker threads, limits, and the response cache."""

from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import ASGIApp
from uvicorn.server import ServerState

from registry.http.cached_file import CachedFile
from registry.http.deadlines import Patience
from registry.http.error_response import Wording, plain_text
from registry.http.request_cycle import RequestResponseCycle
from registry.http.request_head import Fields, Head
from registry.http.sendfile import Window
from registry.http.unconfirmed import Confirm

Generation = tuple[int, int, object, object]
"""The versions of everything that a cached response depends on; see `registry.server.response_cache`."""


Cached = bytes | CachedFile | Confirm
"""A cached response: complete, with a file as its body, or one that is to be confirmed first."""


class Cache(Protocol):
    """A cache of responses; see `registry.server.response_cache`."""

    def find_raw(self, raw: bytes, client: str, common: Fields) -> Cached | None:
        """The cached response for a request head seen before byte for byte, or `None`."""
        ...

    def find(self, raw: bytes, head: Head, client: str, common: Fields) -> Cached | None:
        """A cached response that is still valid; else `None`."""
        ...

    def generation(self, head: Head) -> Generation | None:
        """The generation before the application runs; `None` when its response will not be cached."""
        ...

    def store(self, generation: Generation, cycle: RequestResponseCycle, fields: Fields, body: bytes | Window) -> None:
        """Cache a response of the application: 200 in one piece, or 200 or 206 with a file."""
        ...


@dataclass(slots=True)
class ConnectionContext:
    """The context that all connections of a server share; its limits may be replaced at any time.

    Attributes:
        app: the application.
        state: uvicorn's lists of connections and tasks, and the headers of every response.
        pool: worker threads for sockets and files.
        head_bytes: the maximum size of a head.
        waiting: the deadlines of clients.
        sockets: whether workers may use plain TCP sockets directly.
        cache: of responses, if there is one.
        wording: makes the body of an error response.
    """

    app: ASGIApp
    state: ServerState
    pool: Executor
    head_bytes: int = 65_536
    waiting: Patience = field(default_factory=Patience)
    sockets: bool = True
    cache: Cache | None = None
    wording: Wording = plain_text
