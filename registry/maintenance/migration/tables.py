"""Tables from one database to another, SQLite or PostgreSQL: row by row as they are, then compared.

What is copied is what is kept, not what it means: documents stay the text that they are. Rows keep their ids, and
counting goes on behind the highest that was ever given out.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Table,
    Text,
    column,
    delete,
    func,
    insert,
    select,
    table,
)
from sqlalchemy import text as sql
from sqlalchemy.sql.expression import TableClause

from registry.database.dialects import POSTGRESQL, Document, without_nul
from registry.database.table_text import lines_in, lines_out
from registry.errors import BasegateError
from registry.maintenance.migration.copy_lines import line_of

_ROWS = 1000
_BYTES = 8 << 20
"""What goes to the target in one statement, at most; a row may be larger."""
_FETCHED = 100
_WHOLE = 1 << 128
_SEQUENCE = sql("SELECT pg_get_serial_sequence(:name, :id)")
_SET = sql("SELECT setval(pg_get_serial_sequence(:name, :id), :last)")
_COUNTED = sql("SELECT seq FROM sqlite_sequence WHERE name = :name")
_FORGET = sql("DELETE FROM sqlite_sequence WHERE name = :name")
_COUNT = sql("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")


class RowsDiffer(BasegateError):
    """A table at the target is not what the source has."""


@dataclass(frozen=True, slots=True)
class TableSum:
    """What is in a table, whatever the order: the number of rows, and the sum of the hashes of these, or of lines."""

    rows: int
    hashes: int


def copy_tables(
    source: Connection, target: Connection, schema: MetaData, without: Collection[str] = ()
) -> dict[str, TableSum]:
    """Replace what is in the target's tables by what is in the source's, and compare.

    Args:
        source: a transaction, in which nobody changes anything.
        target: a transaction; the tables are there.
        schema: theirs, of the version of this program in both.
        without: names of tables that are left empty.

    Raises:
        RowsDiffer: what is read again is something else.
    """
    plain = {each.name: _as_kept(each) for each in schema.sorted_tables if each.name not in without}
    for each in reversed(schema.sorted_tables):
        target.execute(delete(each))
    sums = {name: _copy(source, target, each) for name, each in plain.items()}
    for each in schema.sorted_tables:
        give_out_from(target, each, last_given_out(source, each))  # also no id of rows that are gone
    for name, each in plain.items():
        _compare(source, target, each, sums[name])
    return sums


def _as_kept(whole: Table) -> TableClause:
    """The table, with documents as the text that they are kept as."""
    columns = [column(each.name, Text() if isinstance(each.type, Document) else each.type) for each in whole.columns]
    return table(whole.name, *columns)


def _copy(source: Connection, target: Connection, each: TableClause) -> TableSum:
    seen = _Sum()
    if target.dialect.name == POSTGRESQL:
        lines = seen.over(line_of(row) for batch in _batches(source, each) for row in batch)
        lines_in(target, each.name, each.columns.keys(), lines)
        return seen.result
    for batch in _batches(source, each):
        target.execute(insert(each), [dict(zip(each.columns.keys(), row, strict=True)) for row in batch])
        seen.add(batch)
    return seen.result


def _compare(source: Connection, target: Connection, each: TableClause, wanted: TableSum) -> None:
    if target.dialect.name == POSTGRESQL:
        if _sum_of_lines(target, each) == wanted:
            return
        wanted = _sum(source, each, _without_nul)  # the same values may be written in another way
    found = _sum(target, each)
    if found != wanted:
        raise RowsDiffer(
            f"table {each.name} has {found.rows} rows at the target and {wanted.rows} at the source, or other ones: "
            "nothing was switched over"
        )


def _sum(connection: Connection, each: TableClause, clean: Callable[[Any], tuple[Any, ...]] = tuple) -> TableSum:
    seen = _Sum()
    for batch in _batches(connection, each, clean):
        seen.add(batch)
    return seen.result


def _sum_of_lines(connection: Connection, each: TableClause) -> TableSum:
    seen = _Sum()
    for _ in seen.over(lines_out(connection, each.name, each.columns.keys())):
        pass
    return seen.result


class _Sum:
    """Makes a `TableSum` of rows, or of lines."""

    def __init__(self) -> None:
        self._rows = 0
        self._hashes = 0

    @property
    def result(self) -> TableSum:
        """Of what was seen."""
        return TableSum(self._rows, self._hashes % _WHOLE)

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """See rows."""
        for row in rows:
            self._see(repr(row).encode("utf-8", "surrogatepass"))

    def over(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """See lines on their way."""
        for line in lines:
            self._see(line)
            yield line

    def _see(self, told: bytes) -> None:
        self._rows += 1
        self._hashes += int.from_bytes(blake2b(told, digest_size=16).digest())


def _batches(
    connection: Connection, each: TableClause, clean: Callable[[Any], tuple[Any, ...]] = tuple
) -> Iterator[list[tuple[Any, ...]]]:
    batch: list[tuple[Any, ...]] = []
    held = 0
    for row in connection.execute(select(each), execution_options={"yield_per": _FETCHED}):
        batch.append(clean(row))
        held += sum(len(value) for value in row if isinstance(value, bytes | str))
        if len(batch) == _ROWS or held > _BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _without_nul(row: Any) -> tuple[Any, ...]:
    return tuple(without_nul(value) if isinstance(value, str) else value for value in row)


def last_given_out(connection: Connection, each: Table) -> int:
    """The highest id that a table has, or its database has given out by itself; 0: none."""
    counted = each.autoincrement_column
    if counted is None:
        return 0
    return max(_last(connection, each, counted), connection.execute(select(func.max(counted))).scalar() or 0)


def give_out_from(target: Connection, each: Table, last: int) -> None:
    """Have a table give out no id up to this one."""
    counted = each.autoincrement_column
    if counted is None:
        return
    named: Mapping[str, Any] = {"name": each.name, "id": counted.name, "last": last}
    if target.dialect.name != POSTGRESQL:
        if each.dialect_options["sqlite"]["autoincrement"]:
            target.execute(_FORGET, {"name": each.name})
            target.execute(_COUNT, {"name": each.name, "last": last})
    elif last:
        target.execute(_SET, named)


def _last(connection: Connection, each: Table, counted: Column[Any]) -> int:
    """The highest id that a database has given out by itself; 0: none, or it is not known."""
    if connection.dialect.name != POSTGRESQL:
        return int(connection.execute(_COUNTED, {"name": each.name}).scalar() or 0)
    sequence = connection.execute(_SEQUENCE, {"name": each.name, "id": counted.name}).scalar_one()
    last, is_called = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()  # noqa: S608
    return int(last) if is_called else 0
