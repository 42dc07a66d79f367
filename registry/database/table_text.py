"""A table of PostgreSQL as text, and back (https://www.postgresql.org/docs/current/sql-copy.html).

The database makes and reads the text: a row costs this process next to nothing, and comes back as it was.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from registry.database.postponed import send

_PIECE = 256 << 10
_FORM = "(FORMAT text, ENCODING 'UTF8')"


def write_text(connection: Connection, table: Table, write: Callable[[bytes], object]) -> int:
    """Write all rows of a table, in the order of its columns; how many there are."""
    with _cursor(connection) as cursor:
        with cursor.copy(f"COPY {table.name} ({_names(table.columns.keys())}) TO STDOUT {_FORM}") as rows:
            waiting, held = [], 0
            for row in rows:
                waiting.append(row)
                held += len(row)
                if held > _PIECE:
                    write(b"".join(waiting))
                    waiting, held = [], 0
            write(b"".join(waiting))
        return int(cursor.rowcount)


def read_text(connection: Connection, table: Table, columns: Sequence[str], pieces: Iterable[bytes]) -> int:
    """Add rows to a table; how many there were. `columns`: what they have, in this order."""
    with _cursor(connection) as cursor:
        with cursor.copy(f"COPY {table.name} ({_names(columns)}) FROM STDIN {_FORM}") as rows:
            for piece in pieces:
                rows.write(piece)
        return int(cursor.rowcount)


def _cursor(connection: Connection) -> Any:
    send(connection)
    proxy: Any = connection.connection
    return proxy.driver_connection.cursor()


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
