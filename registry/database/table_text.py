"""A table of PostgreSQL as text, and back (https://www.postgresql.org/docs/current/sql-copy.html, "Text Format").

The database makes and reads the text: a row costs this process next to nothing, and comes back as it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from registry.database.postponed import send

_PIECE = 256 << 10
_FORM = "(FORMAT text, ENCODING 'UTF8')"


def lines_out(connection: Connection, table: str, columns: Sequence[str]) -> Iterator[bytes]:
    """The rows of a table, one line each."""
    command = f"COPY {_named(connection, table, columns)} TO STDOUT {_FORM}"
    with _cursor(connection) as cursor, cursor.copy(command) as copy:
        yield from copy


def lines_in(connection: Connection, table: str, columns: Sequence[str], lines: Iterable[bytes]) -> int:
    """Add rows to a table; how many there were. `lines`: of any length, whole rows or not."""
    with _cursor(connection) as cursor:
        with cursor.copy(f"COPY {_named(connection, table, columns)} FROM STDIN {_FORM}") as copy:
            for piece in in_pieces(lines):
                copy.write(piece)
        return int(cursor.rowcount)


def in_pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines put together to what is worth a call."""
    held = bytearray()
    for line in lines:
        held += line
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def _cursor(connection: Connection) -> Any:
    """One of the driver, within the transaction."""
    send(connection)
    return connection.connection.cursor()


def _named(connection: Connection, table: str, columns: Sequence[str]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(table)} ({', '.join(map(quote, columns))})"
