"""The standing orders as a row of the PostgreSQL database that nodes share.

It is in a schema of its own: results may be thrown away, and this may not.
"""

from collections.abc import Callable

from psycopg import errors
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, NoResultFound

from policy.enforcement.operator_file import OperatorFile, OperatorFileRefused, orders_as_json, parse_orders
from policy.results.counters import FORGOTTEN, tell
from policy.results.postgres_store import PostgresResults

SCHEMA = "basegate_policy"
_MAKE = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.standing_orders (id INTEGER PRIMARY KEY CHECK (id = 1), content TEXT NOT NULL)
"""
_DURABLE = "SET LOCAL synchronous_commit = on"
"""Not as results, which can be computed again."""
_BEGIN = text(f"INSERT INTO {SCHEMA}.standing_orders VALUES (1, :content) ON CONFLICT DO NOTHING")  # noqa: S608
_READ = text(f"SELECT content FROM {SCHEMA}.standing_orders")  # noqa: S608 - a name of ours
_WRITE = text(
    f"INSERT INTO {SCHEMA}.standing_orders VALUES (1, :content) "  # noqa: S608
    "ON CONFLICT (id) DO UPDATE SET content = excluded.content"
)


class OperatorRows:
    """The orders in force; what another node changes counts here when the database has told of it.

    Args:
        results: of the same database: they tell nodes of changes, and refuse when it is silent.
        first: what counts until the first change, where the database has none yet.

    Raises:
        OperatorFileRefused: the row cannot be read.
        Unavailable: the database is silent.
    """

    def __init__(self, results: PostgresResults, first: OperatorFile) -> None:
        self._results = results
        results.write(make_orders, first)
        self._seen = results.generation()
        self._orders = results.read(read_row)
        self.changes = 0

    def current(self) -> OperatorFile:
        """The orders. Raises Unavailable, OperatorFileRefused."""
        if self._results.generation() != self._seen:
            self._look()
        return self._orders

    def change(self, change: Callable[[OperatorFile], OperatorFile]) -> OperatorFile:
        """Change them, durably when this returns. Raises OperatorFileRefused, Unavailable."""
        orders = self._results.write(_changed, change)
        self._look()
        return orders

    def _look(self) -> None:
        seen = self._results.generation()
        found = self._results.read(read_row)
        if found != self._orders:
            self._orders = found
            self.changes += 1
        self._seen = seen


def make_orders(connection: Connection, first: OperatorFile) -> None:
    """Have the row, with these orders where there is none yet."""
    connection.exec_driver_sql(_DURABLE)
    connection.exec_driver_sql(_MAKE)
    connection.execute(_BEGIN, {"content": orders_as_json(first).decode()})


def read_row(connection: Connection) -> OperatorFile:
    """The orders. Raises OperatorFileRefused: the row cannot be read."""
    try:
        return parse_orders(connection.execute(_READ).scalar_one().encode())
    except DBAPIError as error:
        if not isinstance(error.orig, errors.UndefinedTable):
            raise
        reason = "its table is gone"
    except NoResultFound:
        reason = "its row is gone"
    except ValueError as error:
        reason = str(error)
    raise OperatorFileRefused(
        f"{SCHEMA}.standing_orders cannot be read ({reason}): restore it from a backup of the database"
    )


def _changed(connection: Connection, change: Callable[[OperatorFile], OperatorFile]) -> OperatorFile:
    connection.exec_driver_sql(_DURABLE)
    orders = change(read_row(connection))
    connection.execute(_WRITE, {"content": orders_as_json(orders).decode()})
    tell(connection, FORGOTTEN)
    return orders
