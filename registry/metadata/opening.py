"""Opening the metadata of a data folder: made when absent, brought up to date when older."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect

from registry.metadata.sqlite import BUSY_SECONDS, SqliteStore, connect
from registry.metadata.tables import SCHEMA

# The newest revision in registry/metadata/migrations; a test compares them.
REVISION = "0004"
FILE_NAME = "registry.db"


def open_metadata(
    data: Path,
    first: Callable[[Connection], object] = lambda _connection: None,
    busy_seconds: float = BUSY_SECONDS,
) -> SqliteStore:
    """The metadata store in a data folder; safe beside other processes that open or use it.

    Args:
        data: the folder.
        first: a change to be made before anything else is.
        busy_seconds: how long a change waits for a lock that another process holds.

    Raises:
        RuntimeError: the database was written by a newer basegate.
    """
    data.mkdir(parents=True, exist_ok=True)
    path = data / FILE_NAME
    # Hashes of secrets are in it. SQLite gives its side files the mode of the database.
    path.touch(mode=0o600)
    engine = connect(path, begin="BEGIN IMMEDIATE")
    try:
        with engine.begin() as connection:
            bring_up_to_date(connection)
            first(connection)
    finally:
        engine.dispose()
    return SqliteStore(path, busy_seconds)


def bring_up_to_date(connection: Connection) -> None:
    """Create or migrate all tables within the connection's transaction."""
    revision = _revision(connection)
    if revision == REVISION:
        return
    if revision is None:
        SCHEMA.create_all(connection)
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{REVISION}')")  # noqa: S608 - a constant
        return
    if revision > REVISION:
        raise RuntimeError(
            f"the metadata has schema {revision}, this basegate knows up to {REVISION}: start the newer basegate"
        )
    from registry.metadata.migrations.upgrade import upgrade  # noqa: PLC0415 - alembic is slow to import

    upgrade(connection)


def _revision(connection: Connection) -> str | None:
    """The schema's revision, "" before the first, or `None` for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")
