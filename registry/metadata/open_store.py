"""Opens the metadata of a data folder: creates it in a new folder, migrates an older one.

An absent database is not always a new one: if there is content, its rows were lost, and an empty database is made only
on request.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DatabaseError, OperationalError

from registry.database.side_files import allocate_side_file
from registry.database.sqlite import BUSY_SECONDS, connect
from registry.errors import BasegateError
from registry.metadata.copied import COPY_NAME, require_current
from registry.metadata.elsewhere import require_here
from registry.metadata.identity import establish
from registry.metadata.sqlite_store import SqliteStore
from registry.metadata.tables import SCHEMA

# The newest revision in registry/metadata/migrations; a test compares them.
REVISION = "0016"
FILE_NAME = "registry.db"


class DatabaseNewer(BasegateError):
    """The database was written by a newer basegate."""


class DatabaseMissing(BasegateError):
    """There is content without a database."""


class DatabaseDamaged(BasegateError):
    """The file is not a readable database."""


def open_metadata(
    data: Path,
    first: Callable[[Connection], object] = lambda _connection: None,
    busy_seconds: float = BUSY_SECONDS,
    *,
    new: bool = False,
) -> SqliteStore:
    """The metadata store in a data folder; safe beside other processes that open or use it.

    Args:
        data: the folder.
        first: a change to make before any other.
        busy_seconds: how long a change waits for a lock that another process holds.
        new: begin with an empty database although the folder has content.

    Raises:
        DatabaseNewer: the database was written by a newer basegate.
        DatabaseMissing: the folder has content and no database.
        DatabaseDamaged: the file is not a readable database.
        DatabaseOutdated: it is older than its copy.
        RowsElsewhere: the rows of the folder are in PostgreSQL.
    """
    require_here(data)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data / FILE_NAME
    if not path.exists():
        _require_new(data, allowed=new)
        # It holds hashes of secrets. SQLite gives its side files the same mode.
        path.touch(mode=0o600)
    engine = connect(path, begin="BEGIN IMMEDIATE")
    try:
        with engine.begin() as connection:
            if revision_of(connection) is None:
                _require_new(data, allowed=new)
                bring_up_to_date(connection)
                establish(connection, time.time() if _holds_content(data) else 0.0)
            bring_up_to_date(connection)
            if not new:
                require_current(connection, data)
            first(connection)
    except (OperationalError, sqlite3.OperationalError):
        raise
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise DatabaseDamaged(
            f"{path} cannot be read as a database ({getattr(error, 'orig', error)}): put a backup in its place with "
            f"`basegate restore`, or run `basegate rebuild --data {data}`, which keeps the damaged file beside it"
        ) from error
    finally:
        engine.dispose()
    store = SqliteStore(path, busy_seconds)
    store.hold()
    allocate_side_file(path)
    return store


def bring_up_to_date(connection: Connection) -> None:
    """Create or migrate all tables within the connection's transaction."""
    revision = revision_of(connection)
    if revision == REVISION:
        return
    if revision is None:
        SCHEMA.create_all(connection)
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{REVISION}')")  # noqa: S608 - a constant
        establish(connection, 0.0)
        return
    _require_known(revision)
    from registry.metadata.migrations.upgrade import upgrade  # noqa: PLC0415 - alembic is slow to import

    upgrade(connection)


def revision_of(connection: Connection) -> str | None:
    """The schema's revision, "" before the first, or `None` for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


def has_rows(data: Path) -> bool:
    """Whether the folder has a database that is not empty."""
    path = data / FILE_NAME
    return path.exists() and path.stat().st_size > 0


def _require_new(data: Path, *, allowed: bool) -> None:
    if not allowed:
        require_nothing_lost(data)


def require_nothing_lost(data: Path) -> None:
    """Raise DatabaseMissing when there is content, or a copy of rows, but no database."""
    if is_rest_of_registry(data):
        raise DatabaseMissing(
            f"{data} holds content, but its database {data / FILE_NAME} is missing or empty: run "
            f"`basegate rebuild --data {data}`, put a backup back with `basegate restore`, or begin anew without what "
            "was there with `basegate serve --new-database`"
        )


def is_copied(data: Path) -> bool:
    """Whether the folder has a copy of rows."""
    return (data / COPY_NAME).exists()


def is_rest_of_registry(data: Path) -> bool:
    """Whether the folder has a registry's content, or a copy of its rows."""
    return _holds_content(data) or is_copied(data)


def require_known_revision(data: Path) -> None:
    """Raise DatabaseNewer for a database of a newer basegate; opening it reports other faults."""
    if not (data / FILE_NAME).exists():
        return  # SQLite would make the file
    try:
        with closing(sqlite3.connect(data / FILE_NAME)) as rows:
            (revision,) = rows.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    except sqlite3.Error:
        return
    _require_known(str(revision))


def _require_known(revision: str) -> None:
    if revision > REVISION:
        raise DatabaseNewer(
            f"the metadata has schema {revision}, this basegate knows up to {REVISION}: use the newer basegate that "
            "wrote it, or restore a backup from before: with `basegate restore`, or that of the PostgreSQL database"
        )


def _holds_content(data: Path) -> bool:
    return any(True for _ in _content(data / "blobs"))


def _content(blobs: Path) -> Iterator[Path]:
    return blobs.glob("*/*/*")
