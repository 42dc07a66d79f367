"""Opens the metadata in a PostgreSQL database: makes the tables of an empty one, migrates older ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from registry.database.dialects import POSTGRESQL
from registry.database.postgres import Database, changing, engine_of
from registry.database.postgres_errors import reason_on_one_line
from registry.database.postgres_writer import take_turn
from registry.errors import BasegateError
from registry.metadata.open_store import bring_up_to_date, revision_of
from registry.metadata.postgres_store import CONNECTIONS, SILENCE_SECONDS, PostgresStore
from registry.metadata.tables import SCHEMA

OLDEST = 14_00_00
"""The oldest version of PostgreSQL, as `server_version` has it."""


class DatabaseUnreachable(BasegateError):
    """The database cannot be connected to, or not be used."""


def _admit_all(_connection: Connection, _is_new: bool) -> None:  # noqa: FBT001
    """Any database will do."""


def open_postgres(
    database: Database,
    connections: int = CONNECTIONS,
    silence_seconds: float = SILENCE_SECONDS,
    admit: Callable[[Connection, bool], None] = _admit_all,
) -> PostgresStore:
    """The metadata store in a PostgreSQL database; safe beside other nodes that open or use it.

    Args:
        database: where it is.
        connections: see `PostgresStore`.
        silence_seconds: see there.
        admit: called with whether the database was empty, within the transaction that fills it: what it raises leaves
            the database as it was.

    Raises:
        DatabaseUnreachable: it cannot be connected to, is too old, has another encoding than UTF-8, or does not keep
            what it commits.
        DatabaseNewer: it was written by a newer basegate.
    """
    engine = engine_of(database, 1)
    try:
        with usable(), changing(engine) as connection:
            admit(connection, make_ready(connection))
    finally:
        engine.dispose()
    return PostgresStore(database, connections, silence_seconds)


def make_ready(connection: Connection) -> bool:
    """Make the tables, or migrate them, in the transaction of a connection; whether there were none.

    No other node writes from here on until its end.

    Raises:
        DatabaseUnreachable: the database is too old, has another encoding than UTF-8, or does not keep what it commits.
        DatabaseNewer: it was written by a newer basegate.
    """
    take_turn(connection)
    _require_fit(connection)
    _make_indexes_partial()
    is_new = revision_of(connection) is None
    bring_up_to_date(connection)
    return is_new


@contextmanager
def usable() -> Iterator[None]:
    """Raise DatabaseUnreachable in the place of what the driver raises when a database is opened."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        reason = reason_on_one_line(error)
        raise DatabaseUnreachable(
            f"the database of metadata.url cannot be used: {reason}. See that the server runs, that the address, name, "
            "user and password (metadata.password_file, PGPASSWORD) are right, and that the user may make tables there"
        ) from error


def _require_fit(connection: Connection) -> None:
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    if version < OLDEST:
        raise DatabaseUnreachable(
            f"the database of metadata.url is PostgreSQL {version // 10_000}: {OLDEST // 10_000} or newer is needed"
        )
    if connection.exec_driver_sql("SHOW fsync").scalar_one() != "on":
        raise DatabaseUnreachable(
            "the database of metadata.url has fsync off, and would lose what it has committed with the power: set "
            "fsync to on"
        )
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise DatabaseUnreachable(
            f"the database of metadata.url has the encoding {encoding}, UTF8 is needed: make it with CREATE DATABASE … "
            "ENCODING 'UTF8' TEMPLATE template0"
        )


def _make_indexes_partial() -> None:
    """Those that are partial in SQLite. Told here, for whoever names PostgreSQL in the tables has it imported."""
    for table in SCHEMA.tables.values():
        for index in table.indexes:
            where = index.dialect_options["sqlite"]["where"]
            if where is not None:
                index.dialect_options[POSTGRESQL]["where"] = where
