"""Rows as the lines of PostgreSQL's COPY: far cheaper for both sides than statements.

https://www.postgresql.org/docs/current/sql-copy.html, "Text Format". A line is written as PostgreSQL would write it,
for it is compared with what PostgreSQL gives back. Where the two write the same value in two ways, which only numbers
that nobody uses here have (1e15), whoever compares has to look at values.
"""

import re
from collections.abc import Callable, Iterator
from types import NoneType
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.expression import TableClause

from registry.database.postponed import send

_ESCAPES = {"\0": "", "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_ESCAPED = re.compile("[\0\\\\\b\f\n\r\t\v]")
_SENT_BYTES = 1 << 18


def line_of(row: tuple[Any, ...]) -> bytes:
    """One row; texts without NUL, which PostgreSQL does not keep."""
    return ("\t".join([_FORMS[type(value)](value) for value in row]) + "\n").encode()


def lines_in(connection: Connection, each: TableClause, lines: Iterator[bytes]) -> None:
    """Append rows to a table of PostgreSQL."""
    with _cursor(connection) as cursor, cursor.copy(f"COPY {_named(connection, each)} FROM STDIN") as copy:
        held = bytearray()
        for line in lines:
            held += line
            if len(held) >= _SENT_BYTES:
                copy.write(bytes(held))
                held.clear()
        copy.write(bytes(held))


def lines_out(connection: Connection, each: TableClause) -> Iterator[bytes]:
    """The rows of a table of PostgreSQL, which sends one at a time."""
    with _cursor(connection) as cursor, cursor.copy(f"COPY {_named(connection, each)} TO STDOUT") as copy:
        yield from copy


def _cursor(connection: Connection) -> Any:
    """One of the driver, within the transaction."""
    send(connection)
    return connection.connection.cursor()


def _named(connection: Connection, each: TableClause) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(each.name)} ({', '.join(map(quote, each.columns.keys()))})"


def _text(value: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], value)


def _float(value: float) -> str:
    return repr(value).removesuffix(".0")


def _truth(value: bool) -> str:  # noqa: FBT001 - a value of a row
    return "t" if value else "f"


_FORMS: dict[type, Callable[[Any], str]] = {
    NoneType: lambda _: "\\N",
    bool: _truth,
    bytes: lambda value: f"\\\\x{value.hex()}",
    float: _float,
    int: str,
    str: _text,
}
