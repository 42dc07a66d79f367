"""Rows move between SQLite and PostgreSQL as they are kept, whatever is in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Connection, Float, Integer, LargeBinary, MetaData, Table, insert, select

from registry.database.dialects import ROW_ID, TEXT, Document
from registry.database.postgres import engine_of
from registry.database.sqlite import connect
from registry.maintenance.migration.tables import RowsDiffer, copy_tables
from tests.postgres import PostgresServer

SCHEMA = MetaData()
THINGS = Table(
    "things",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    Column("text", TEXT),
    Column("time", Float),
    Column("count", Integer),
    Column("order", Boolean),
    Column("content", LargeBinary),
    Column("document", Document()),
    sqlite_autoincrement=True,
)
PLAIN = (1, "one", 1764526000.25, 7, True, b"content", {"a": [1]})
AWKWARD: tuple[tuple[Any, ...], ...] = (
    (2, "\\N", 0.1, None, False, b"", None),
    (3, "", -0.0, -1, None, b"\\x00\n\t", {"text": "\\ \n \t \" '"}),
    (4, "\b\f\n\r\t\v\\. é \U0001f600", None, 0, True, bytes(range(256)), []),
)


@pytest.fixture(name="lite")
def _lite(tmp_path: Path) -> Iterator[Connection]:
    """SQLite with the table."""
    engine = connect(tmp_path / "rows.db", begin="BEGIN IMMEDIATE")
    with engine.connect() as connection:
        SCHEMA.create_all(connection)
        yield connection
    engine.dispose()


@pytest.fixture(name="large")
def _large(postgres: PostgresServer) -> Iterator[Connection]:
    """PostgreSQL with the table."""
    engine = engine_of(postgres.new_database(), 1)
    with engine.connect() as connection:
        SCHEMA.create_all(connection)
        yield connection
    engine.dispose()


def add(connection: Connection, *rows: tuple[Any, ...]) -> None:
    """Have these rows in the table."""
    connection.execute(insert(THINGS), [dict(zip(THINGS.c.keys(), row, strict=True)) for row in rows])


def held(connection: Connection) -> list[tuple[Any, ...]]:
    """What is in it."""
    return [tuple(row) for row in connection.execute(select(THINGS).order_by(THINGS.c.id))]


def test_there_and_back(lite: Connection, large: Connection) -> None:
    """Texts, bytes and documents with what a line of COPY has to escape, numbers, and nothing at all."""
    add(lite, PLAIN, *AWKWARD)
    copy_tables(lite, large, SCHEMA)
    assert repr(held(large)) == repr(held(lite))
    add(lite, (9, *PLAIN[1:]))
    copy_tables(large, lite, SCHEMA)
    assert held(lite) == [PLAIN, *AWKWARD]


def test_many_rows(lite: Connection, large: Connection) -> None:
    """More than go in one piece."""
    add(lite, *((number, "text" * 50, *PLAIN[2:]) for number in range(1, 3001)))
    assert copy_tables(lite, large, SCHEMA)["things"].rows == 3000
    assert held(large) == held(lite)


@pytest.mark.parametrize("time", [1e15, 1e16, 1e-5, 5e-324, 1.7976931348623157e308])
def test_a_number_that_is_written_in_two_ways(lite: Connection, large: Connection, time: float) -> None:
    """It is the same."""
    add(lite, (1, "one", time, *PLAIN[3:]))
    copy_tables(lite, large, SCHEMA)
    assert held(large) == held(lite)


def test_texts_lose_what_the_database_does_not_keep(lite: Connection, large: Connection) -> None:
    """NUL, and nothing else."""
    add(lite, (1, "a\0b", *PLAIN[2:]))
    copy_tables(lite, large, SCHEMA)
    assert held(large)[0][1] == "ab"


def test_what_arrives_otherwise_is_noticed(lite: Connection, large: Connection) -> None:
    """One letter of one row, on a way that the database itself changes."""
    large.exec_driver_sql(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.text = 'other'; RETURN NEW; END $$"
    )
    large.exec_driver_sql("CREATE TRIGGER spoil BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION spoil()")
    add(lite, PLAIN)
    with pytest.raises(RowsDiffer, match="table things has 1 rows at the target and 1 at the source, or other ones"):
        copy_tables(lite, large, SCHEMA)


def test_counting_goes_on(lite: Connection, large: Connection) -> None:
    """Behind the highest id that was ever given out, also of a row that is gone."""
    add(lite, PLAIN, (40, *PLAIN[1:]))
    lite.exec_driver_sql("DELETE FROM things WHERE id = 40")
    copy_tables(lite, large, SCHEMA)
    large.execute(insert(THINGS).values(text="new"))
    assert [row[0] for row in held(large)] == [1, 41]
