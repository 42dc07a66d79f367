"""All rows of a PostgreSQL database in one file, as of one moment, and a database made from it.

    copy.json            of which store and moment, by which version; of each table its columns, rows, and last id
    tables/<name>        its rows, as COPY has them
    beside/<name>        what a package on top keeps beside them

It is a ZIP file, whose members have check sums: what is damaged is refused.
"""

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, Table, delete

from registry.database.table_text import in_pieces, lines_in, lines_out
from registry.errors import BasegateError
from registry.maintenance.migration.tables import give_out_from, last_given_out
from registry.metadata.identity import identity
from registry.metadata.open_store import REVISION
from registry.metadata.tables import SCHEMA, events, upload_pieces, uploads

_HEAD = "copy.json"
_FORMAT = 1
_QUICKLY = 1
_PIECE = 256 << 10

LEFT = frozenset({uploads.name, upload_pieces.name})
"""Tables that are left out: uploads in progress begin anew."""


class ArchiveUnusable(BasegateError):
    """A copy of the rows is damaged, or another version's."""


class CopiedBeside(Protocol):
    """What a package on top keeps in the database beside rows, and cannot make again.

    Attributes:
        name: its own, of letters and hyphens.
    """

    name: str

    def taken(self, rows: Connection) -> bytes | None:
        """What there is, as bytes; `None` where there is nothing yet."""
        ...

    def put_back(self, target: Connection, content: bytes) -> None:
        """Have it in a database that has nothing of it, in its transaction."""
        ...


@dataclass(frozen=True, slots=True)
class ArchivedTable:
    """One table: the names of its columns, the number of its rows, and the last id that was given out."""

    columns: list[str]
    rows: int
    last: int


@dataclass(frozen=True, slots=True)
class ArchiveHead:
    """What an archive says of itself.

    Attributes:
        store: id of the store.
        event: number of the last change that may be in it.
        made: when its rows were read, in seconds since the epoch.
        revision: of the tables.
        tables: by their names.
    """

    store: str
    event: int
    made: float
    revision: str = REVISION
    tables: dict[str, ArchivedTable] = field(default_factory=dict)
    format: int = _FORMAT


def write_archive(
    rows: Connection, path: Path, beside: Sequence[CopiedBeside], made: float, tick: Callable[[], None]
) -> ArchiveHead:
    """Write what a transaction sees, which is that of one moment (blocking).

    Args:
        rows: the transaction.
        path: the new file.
        beside: what is written beside rows.
        made: now, in seconds since the epoch.
        tick: called often; what it raises ends the work.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)  # it holds hashes of secrets
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_QUICKLY) as archive:
        store = identity(rows).id  # the moment is that of the first query
        tables = {table.name: _written(rows, table, archive, tick) for table in _tables()}
        for each in beside:
            content = each.taken(rows)
            if content is not None:
                archive.writestr(f"beside/{each.name}", content)
        head = ArchiveHead(store, tables[events.name].last, made, tables=tables)
        archive.writestr(_HEAD, json.dumps(asdict(head)))
    return head


def _tables() -> list[Table]:
    """In an order in which rows can be added."""
    return [table for table in SCHEMA.sorted_tables if table.name not in LEFT]


def _written(rows: Connection, table: Table, archive: zipfile.ZipFile, tick: Callable[[], None]) -> ArchivedTable:
    columns, count = table.columns.keys(), 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for line in lines_out(rows, table.name, columns):
            count += 1
            yield line

    with archive.open(f"tables/{table.name}", "w", force_zip64=True) as member:
        for piece in in_pieces(counted()):
            tick()
            member.write(piece)
    return ArchivedTable(columns, count, last_given_out(rows, table))


def read_archive(target: Connection, path: Path, beside: Sequence[CopiedBeside], name: str) -> ArchiveHead:
    """Fill new tables, within the target's transaction (blocking).

    Args:
        target: the transaction.
        path: the file.
        beside: what is read beside rows.
        name: of the copy, for messages.

    Raises:
        ArchiveUnusable: the file is damaged, or another version's.
    """
    with _refused(name), zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"{damaged} has another check sum")
        head = _head(archive)
        for table in reversed(SCHEMA.sorted_tables):
            target.execute(delete(table))
        for table in _tables():
            _read(target, table, head.tables[table.name], archive)
        names = archive.namelist()
        for each in beside:
            if f"beside/{each.name}" in names:
                each.put_back(target, archive.read(f"beside/{each.name}"))
    return head


def _head(archive: zipfile.ZipFile) -> ArchiveHead:
    found = json.loads(archive.read(_HEAD))
    if (found["format"], found["revision"]) != (_FORMAT, REVISION):
        raise ArchiveUnusable(
            f"the copy of the rows is of revision {found['revision']}, and this program's is {REVISION}: make the "
            "database with the version of basegate that wrote the copy; a later one migrates it when it starts"
        )
    found["tables"] = {name: ArchivedTable(**each) for name, each in found["tables"].items()}
    return ArchiveHead(**found)


def _read(target: Connection, table: Table, told: ArchivedTable, archive: zipfile.ZipFile) -> None:
    with archive.open(f"tables/{table.name}") as member:
        count = lines_in(target, table.name, told.columns, _pieces(member))
    if count != told.rows:
        raise ArchiveUnusable(f"the copy of the rows has {count} of {told.rows} rows of table {table.name}")
    give_out_from(target, table, told.last)


def _pieces(member: IO[bytes]) -> Iterator[bytes]:
    while piece := member.read(_PIECE):
        yield piece


@contextmanager
def _refused(name: str) -> Iterator[None]:
    """Raise ArchiveUnusable in the place of what reading a damaged file raises."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError) as error:
        raise ArchiveUnusable(
            f"the copy of the rows {name} is damaged ({error}): remove that object, and the one before is taken"
        ) from error
