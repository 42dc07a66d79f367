"""Statements of hot paths: written in SQLAlchemy, compiled once, run on the driver's own cursor.

What SQLAlchemy does around one execution costs some ten times what SQLite does in it, and a push makes a dozen. So the
look-ups and changes of single requests are compiled when they are first used and then handed to the driver as text
with parameters. Rows come as the driver gives them: the columns used here are texts, numbers and bytes.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Insert
from sqlalchemy.sql.elements import ClauseElement

from registry.database import postponed
from registry.database.dialects import POSTGRESQL

Q = TypeVar("Q", bound=Callable[..., Any])
_Bind = Callable[[Mapping[str, Any]], Any]


class Statement:
    """One statement. Its parameters are values that the driver takes as they are.

    Args:
        clause: the statement; without `IN` over a list, which has no fixed text.
        columns: of an INSERT or UPDATE the columns that are given.
    """

    def __init__(self, clause: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._clause = clause
        self._columns = columns
        self._compiled: dict[str, tuple[str, _Bind]] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """All rows, as tuples.

        Raises:
            sqlite3.Error, psycopg.Error: the driver's own errors, as of all methods here.
        """
        found: list[Any] = self._run(connection, values).fetchall()
        return found

    def each(self, connection: Connection, values: Mapping[str, Any]) -> Generator[Any, None, None]:
        """Row after row; whoever stops early closes it."""
        cursor = self._run(connection, values)
        try:
            yield from cursor
        finally:
            cursor.close()

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first row as a tuple, or `None`."""
        cursor = self._run(connection, values)
        row = cursor.fetchone()
        cursor.close()
        return row

    def scalar(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, or `None`."""
        row = self.first(connection, values)
        return None if row is None else row[0]

    def first_of_each(self, connection: Connection, values: Sequence[Mapping[str, Any]]) -> list[Any]:
        """`first` for each set of values; one round trip."""
        if connection.dialect.name != POSTGRESQL or not values:
            return [self.first(connection, each) for each in values]
        text, bind = self._prepared(connection.dialect)
        return [cursor.fetchone() for cursor in postponed.run(connection, text, *map(bind, values))]

    def apply(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Insert, update or delete; PostgreSQL gets it along with the next statement."""
        if connection.dialect.name != POSTGRESQL:
            self._run(connection, values)
            return
        text, bind = self._prepared(connection.dialect)
        postponed.postpone(connection, text, bind(values))

    def change(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """`apply`, now; the number of rows it met."""
        met: int = self._run(connection, values).rowcount
        return met

    def insert(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Insert one row; its id."""
        cursor = self._run(connection, values)
        added: int = cursor.fetchone()[0] if connection.dialect.name == POSTGRESQL else cursor.lastrowid
        return added

    def change_each(self, connection: Connection, values: Sequence[Mapping[str, Any]]) -> None:
        """`apply` once for each set of values."""
        text, bind = self._prepared(connection.dialect)
        if connection.dialect.name != POSTGRESQL:
            connection.connection.cursor().executemany(text, [bind(each) for each in values])
        elif values:
            postponed.postpone(connection, text, *map(bind, values))

    def _run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        text, bind = self._prepared(connection.dialect)
        if connection.dialect.name == POSTGRESQL:
            return postponed.run(connection, text, bind(values))[0]
        cursor = connection.connection.cursor()
        cursor.execute(text, bind(values))
        return cursor

    def _prepared(self, dialect: Dialect) -> tuple[str, _Bind]:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = self._compile(dialect)
        return found

    def _compile(self, dialect: Dialect) -> tuple[str, _Bind]:
        compiled: Any = _told_ids(self._clause, dialect).compile(dialect=dialect, column_keys=self._columns)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        names = compiled.positiontup
        if names is None:
            return str(compiled), lambda values: {**fixed, **values}
        if fixed:
            return str(compiled), lambda values: [values[name] if name in values else fixed[name] for name in names]
        return str(compiled), lambda values: [values[name] for name in names]


def _told_ids(clause: ClauseElement, dialect: Dialect) -> ClauseElement:
    """PostgreSQL tells the id of a new row only where it is asked for; SQLite does without."""
    if dialect.name == POSTGRESQL and isinstance(clause, Insert) and not clause._returning:  # noqa: SLF001
        return clause.returning(*[column for column in clause.table.primary_key if column.name == "id"])
    return clause


def autocommit(query: Q) -> Q:
    """Run a query in autocommit mode: it needs no consistent snapshot, and saves BEGIN and COMMIT."""
    query.__dict__["autocommit"] = True
    return query


def takes_room(change: Q) -> Q:
    """Mark a change that brings content: on a full disk it is refused, and gets none of what is kept for others."""
    change.__dict__["takes_room"] = True
    return change


def does_take_room(change: Callable[..., Any]) -> bool:
    """Whether a change is marked so."""
    return "takes_room" in getattr(change, "__dict__", ())


def untold(change: Q) -> Q:
    """Mark a change of which nothing is remembered anywhere: what others remember holds beside it."""
    change.__dict__["untold"] = True
    return change


def is_untold(change: Callable[..., Any]) -> bool:
    """Whether a change is marked so."""
    return "untold" in getattr(change, "__dict__", ())


def heard_by_all(change: Q) -> Q:
    """Mark a removal of what nodes remember by its digest: all of them hear of it before its caller does."""
    change.__dict__["heard_by_all"] = True
    return change


def is_heard_by_all(change: Callable[..., Any]) -> bool:
    """Whether a change is marked so."""
    return "heard_by_all" in getattr(change, "__dict__", ())


def is_autocommit(query: Callable[..., Any]) -> bool:
    """Whether a query is marked so."""
    return "autocommit" in getattr(query, "__dict__", ())


def raw(connection: Connection, command: str) -> None:
    """Run a command without parameters or answer on the driver's cursor; PostgreSQL gets it along with the next."""
    if connection.dialect.name == POSTGRESQL:
        postponed.postpone(connection, command)
    else:
        connection.connection.cursor().execute(command)
