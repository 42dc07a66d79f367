"""An act of administration: how it is asked of a server, and how it is done in a data folder."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.progress import Tell
from registry.metadata.store import RowStore
from registry.storage.blob_store import MaintainedStore

T = TypeVar("T")
RUNNING, DONE, FAILED = "running", "done", "failed"
"""The states of a run."""
BASE = "/admin/v1"
"""What the paths of the administration API begin with."""
RUNS = f"{BASE}/runs"


class Holdings(Protocol):
    """The stores of a data folder, and the settings that count for it."""

    @property
    def storage(self) -> MaintainedStore:
        """The blobs."""

    @property
    def metadata(self) -> RowStore:
        """The rows."""

    @property
    def settings(self) -> SettingsInForce[RegistrySettings]:
        """The settings; `settings.current.data` is the folder."""

    @property
    def tell(self) -> Tell:
        """Told of the progress of long work."""

    def once(self, make: Callable[["Holdings"], T], close: Callable[[T], None]) -> T:
        """What `make` makes of this, the same for all acts until the folder is closed."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act; both ways give the same JSON-able document, times in it are ISO 8601 in UTC.

    Attributes:
        method: of the request.
        path: of the request.
        here: does the same in a data folder, beside a running server.
        query: parameters of the request.
        body: its JSON body.
        is_run: the server answers with a run, whose result is the document.
    """

    method: str
    path: str
    here: Callable[[Holdings], Awaitable[Any]]
    query: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    is_run: bool = False
