"""The engine of rows that servers of tests are started on: a file of the data folder, or PostgreSQL for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.postgres import PostgresServer


class _Engine:
    """PostgreSQL, where there is a server, with a database for each data folder."""

    def __init__(self) -> None:
        self.server: PostgresServer | None = None
        self.groups: dict[Path, dict[str, Any]] = {}


_ENGINE = _Engine()


def rows_of(data: Path) -> dict[str, Any]:
    """The group `metadata` of the settings for a data folder; empty: its rows are in a file."""
    if _ENGINE.server is None:
        return {}
    if data not in _ENGINE.groups:
        _ENGINE.groups[data] = _ENGINE.server.settings()
    return _ENGINE.groups[data]


def forget_gone() -> None:
    """Forget the databases of folders that have gone: another test may get a folder of the same name."""
    for data in [data for data in _ENGINE.groups if not data.parent.exists()]:
        del _ENGINE.groups[data]


@contextmanager
def on_postgres(server: "PostgresServer") -> Iterator[None]:
    """Within the block, what tests start has its rows in databases of this server."""
    _ENGINE.server = server
    try:
        yield
    finally:
        _ENGINE.server = None
        _ENGINE.groups.clear()
