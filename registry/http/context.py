"""What all connections of a server share: worker threads, limits, and the memory of answers."""

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

Note = tuple[int, int, object]
"""What a remembered answer depends on; see `registry.server.response_cache`."""


class Memory(Protocol):
    """Answers that may be given again; see `registry.server.response_cache`."""

    def again(self, raw: bytes, client: str, common: Fields) -> bytes | CachedFile | None:
        """The response to a head that was answered before in the same bytes, when it still holds."""
        ...

    def find(self, raw: bytes, head: Head, client: str, common: Fields) -> bytes | CachedFile | None:
        """A response that still holds: whole, or the head of one whose body is a file."""
        ...

    def note(self, head: Head) -> Note | None:
        """Taken before the application is asked; `None` when its answer will not be remembered."""
        ...

    def learn(self, note: Note, turn: RequestResponseCycle, fields: Fields, body: bytes | Window) -> None:
        """The application answered 200 in one piece, or 200 or 206 with a file."""
        ...


@dataclass(slots=True)
class ConnectionContext:
    """What all connections of a server share; other limits may be put in at any time, and count at once.

    Attributes:
        app: what is served.
        state: uvicorn's lists of connections and tasks, and the headers of every response.
        pool: worker threads for sockets and files.
        head_bytes: the largest head.
        waiting: how long a client may take over what is its turn.
        sockets: whether workers may use plain TCP sockets directly.
        memory: remembered answers, if any are kept.
        wording: how the server words what it answers by itself.
    """

    app: ASGIApp
    state: ServerState
    pool: Executor
    head_bytes: int = 65_536
    waiting: Patience = field(default_factory=Patience)
    sockets: bool = True
    memory: Memory | None = None
    wording: Wording = plain_text
