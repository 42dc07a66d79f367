"""The copy of the rows: where it is, and whether the database is as new as its copy.

A database that lacks changes of its copy was put back by hand, or belongs to another store. New records on top of it
would not match the content.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from registry.errors import BasegateError
from registry.metadata.identity import identity

COPY_NAME = "copy/rows.db"
_LAST_EVENT = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"


class DatabaseOutdated(BasegateError):
    """The database is older than its copy."""


@dataclass(frozen=True, slots=True)
class CopyState:
    """The state of a copy.

    Attributes:
        store: id of the store.
        event: number of the last change in it.
        made: when its rows were read (seconds since the epoch).
    """

    store: str
    event: int
    made: float


def copy_state(path: Path) -> CopyState | None:
    """The state of a copy; `None` when it is absent or unreadable."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(path, timeout=5.0)) as database:
            (store,) = database.execute("SELECT id FROM store").fetchone()
            event, made = database.execute("SELECT event, made FROM copied").fetchone()
    except (sqlite3.DatabaseError, TypeError):
        return None
    return CopyState(store, event, made)


def last_event(connection: Connection) -> int:
    """The number of the last change."""
    return int(connection.exec_driver_sql(_LAST_EVENT).scalar() or 0)


def require_current(connection: Connection, data: Path) -> None:
    """Check that the database has everything that its copy has.

    Raises:
        DatabaseOutdated: it is older, or of another store.
    """
    path = data / COPY_NAME
    state = copy_state(path)
    if state is None:
        return
    missing = state.event - last_event(connection)
    if state.store != identity(connection).id:
        fault = "is not the database of this content"
    elif missing > 0:
        fault = f"is older than its copy: {missing} changes are missing"
    else:
        return
    raise DatabaseOutdated(
        f"the database in {data} {fault}: run `basegate rebuild --data {data} --force` to go on from the copy, "
        f"or remove {path} to go on from the database as it is"
    )
