"""The schema of results in PostgreSQL: made where there is none, and begun anew when it is damaged.

It is a schema of its own, so that all results can be dropped at once, and has the version of its tables in its name, so
that nodes of two versions of the program do not begin one another's anew.
"""

import uuid
import zlib

from psycopg import errors
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from policy.results.checksums import RowDamaged
from policy.results.leases import LEASES
from policy.results.tables import SCHEMA, VERSION
from registry.database.postgres_writer import take_turn

NAME = f"basegate_results_{VERSION}"
LOCK = int.from_bytes(b"results.")
"""Of all who write results: they take turns, and keep nobody from writing metadata."""

_DAMAGED = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.InvalidSchemaName,
    errors.DataCorrupted,
    errors.IndexCorrupted,
)
_BEGUN = text("SELECT id FROM begun")
_IS_THERE = text("SELECT to_regclass('begun') IS NOT NULL FROM pg_namespace LIMIT 1")
"""A connection remembers that a schema is not there. It hears of one that another has made meanwhile when it opens a
table, as that of the namespaces here, and not by waiting for its turn."""


def is_damage(error: BaseException) -> bool:
    """Whether an error means that pages, tables or rows are not what was written."""
    if isinstance(error, DBAPIError):
        return error.orig is not None and is_damage(error.orig)
    return isinstance(error, (*_DAMAGED, zlib.error, RowDamaged))


def ensured(connection: Connection) -> str:
    """Make the schema, unless another node has done so; returns the name of its beginning.

    In a transaction whose `search_path` is the schema; from now on and until its end no other node writes.
    """
    take_turn(connection, LOCK)
    return _begun(connection) or _made(connection)


def begun_anew(connection: Connection, damaged: str) -> str:
    """Replace the schema whose beginning has this name by an empty one, unless another node has; as `ensured`."""
    take_turn(connection, LOCK)
    found = _begun(connection)
    if found not in {"", damaged}:
        return found
    connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {NAME} CASCADE")
    return _made(connection)


def _begun(connection: Connection) -> str:
    """The name of the beginning; "" where there is none, or it cannot be read."""
    try:
        with connection.begin_nested():
            return str(connection.execute(_BEGUN).scalar() or "") if connection.execute(_IS_THERE).scalar() else ""
    except DBAPIError as error:
        if not is_damage(error):
            raise
        return ""


def _made(connection: Connection) -> str:
    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {NAME}")
    SCHEMA.create_all(connection)
    LEASES.create_all(connection)
    # Of any length, which an index that is ordered does not take.
    connection.exec_driver_sql("CREATE INDEX IF NOT EXISTS profiles_by_essence ON profiles USING hash (essence)")
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS begun (id TEXT PRIMARY KEY)")
    name = uuid.uuid4().hex
    connection.exec_driver_sql("DELETE FROM begun")
    connection.exec_driver_sql("INSERT INTO begun VALUES (%s)", (name,))
    return name
