"""Prepared statements: what SQLAlchemy wrote, run by the driver."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    insert,
    select,
    update,
)

from registry.database.statement import Statement, autocommit, raw
from registry.metadata.open_store import open_metadata
from registry.metadata.repositories import ensure
from registry.metadata.tables import repositories
from registry.oci.names import RepositoryName

SCHEMA = MetaData()
THINGS = Table("things", SCHEMA, Column("id", Integer, primary_key=True), Column("name", Text, unique=True))
ADD = Statement(insert(THINGS).returning(THINGS.c.id), ("name",))
NAMED = Statement(select(THINGS.c.id, THINGS.c.name).where(THINGS.c.name == bindparam("name")))


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A connection to a database with one table, in a transaction."""
    engine = create_engine("sqlite://")
    SCHEMA.create_all(engine)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def test_rows_are_tuples(connection: Connection) -> None:
    """An inserted row is found again, as the driver gives it."""
    assert ADD.scalar(connection, {"name": "a"}) == 1
    assert NAMED.rows(connection, {"name": "a"}) == [(1, "a")]


def test_nothing_found_is_none(connection: Connection) -> None:
    """Neither a row nor its first column."""
    assert NAMED.first(connection, {"name": "a"}) is None
    assert NAMED.scalar(connection, {"name": "a"}) is None


def test_a_value_of_the_statement_itself_is_kept(connection: Connection) -> None:
    """A number written into the statement needs no parameter."""
    first = Statement(select(THINGS.c.name).order_by(THINGS.c.name).limit(1))
    Statement(insert(THINGS), ("name",)).change_each(connection, [{"name": "b"}, {"name": "a"}])
    assert first.rows(connection, {}) == [("a",)]


def test_a_change_tells_how_many_rows_it_met(connection: Connection) -> None:
    """None, then one."""
    rename = Statement(update(THINGS).where(THINGS.c.name == bindparam("old")), ("name",))
    assert rename.change(connection, {"old": "a", "name": "b"}) == 0
    ADD.scalar(connection, {"name": "a"})
    assert rename.change(connection, {"old": "a", "name": "b"}) == 1


def test_a_missing_parameter_is_an_error(connection: Connection) -> None:
    """A forgotten value is never taken for NULL."""
    with pytest.raises(KeyError):
        NAMED.rows(connection, {})


def test_the_drivers_errors_come_through(connection: Connection) -> None:
    """A row that is there already cannot be added."""
    ADD.scalar(connection, {"name": "a"})
    with pytest.raises(sqlite3.IntegrityError):
        ADD.scalar(connection, {"name": "a"})


def test_a_command_has_no_answer(connection: Connection) -> None:
    """Savepoints are commands."""
    raw(connection, "SAVEPOINT here")
    ADD.scalar(connection, {"name": "a"})
    raw(connection, "ROLLBACK TO here")
    assert NAMED.rows(connection, {"name": "a"}) == []


def test_a_query_apart_leaves_no_transaction(tmp_path: Path) -> None:
    """Whatever it runs, the next reading sees what was written since."""
    store = open_metadata(tmp_path)

    @autocommit
    def count(connection: Connection) -> int:
        return len(connection.execute(select(repositories.c.id)).all())

    assert store.read_now(count) == 0
    asyncio.run(store.write(lambda connection: ensure(connection, RepositoryName("team/app"), 1.0)))
    assert store.read_now(count) == 1
    store.close()
