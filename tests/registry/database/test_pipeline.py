"""Statements through libpq: in order, with their types, and what becomes of the connection when one fails."""

import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any

import psycopg
import pytest

from registry.database.pipeline import Command, Pipeline, Rows
from tests.postgres import PostgresServer

ADD, ALL = "INSERT INTO things (content) VALUES (%(content)s)", "SELECT content FROM things ORDER BY id"
MEBIBYTE = 1 << 20


@pytest.fixture
def connection(postgres: PostgresServer) -> Iterator["psycopg.Connection[Any]"]:
    """To a database with an empty table."""
    with postgres.new_database().connect(autocommit=True) as opened:
        opened.execute("CREATE TABLE things (id bigserial PRIMARY KEY, content bytea UNIQUE)")
        yield opened


@pytest.fixture
def pipeline(connection: "psycopg.Connection[Any]") -> Pipeline:
    """Of that connection."""
    return Pipeline(connection)


def contents(pipeline: Pipeline) -> list[Any]:
    """Of all rows."""
    (found,) = pipeline.run([(ALL, {})])
    return [content for (content,) in found]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "\N{SNOWMAN} it's 100 %"),
        ("text", ""),
        ("bytea", bytes(range(256))),
        ("bytea", b""),
        ("bigint", -(1 << 63)),
        ("float8", 1 / 3),
        ("float8", float("inf")),
        ("boolean", True),
        ("boolean", False),
        ("text", None),
    ],
)
def test_values_come_back_as_they_went(pipeline: Pipeline, kind: str, value: object) -> None:
    """Each of its type; the second time the statement is there."""
    for _ in range(2):
        (found,) = pipeline.run([(f"SELECT %(value)s::{kind}, 5 %% 3, %(value)s::{kind}", {"value": value})])
        assert found.fetchall() == [(value, 2, value)]


def test_no_default_of_the_database_changes_a_value(postgres: PostgresServer) -> None:
    """How it writes bytes and fractions where nobody says so."""
    database, values = postgres.new_database(), {"content": b"\\xab", "number": 1 / 3}
    with database.connect(autocommit=True) as connection:
        for default in ("bytea_output = escape", "extra_float_digits = -5"):
            connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {default}")
    with database.connect(autocommit=True) as connection:
        (found,) = Pipeline(connection).run([("SELECT %(content)s::bytea, %(number)s::float8", values)])
    assert found.fetchall() == [(*values.values(),)]


def test_answers_are_in_the_order_of_statements(pipeline: Pipeline) -> None:
    """With what each has found, and how many rows it has changed."""
    added, found, none, gone = pipeline.run(
        [(ADD, {"content": b"a"}), (ALL, {}), ("SELECT 1 WHERE false", {}), ("DELETE FROM things", {})]
    )
    assert (added.rowcount, found.fetchone(), found.fetchone(), none.fetchone()) == (1, (b"a",), None, None)
    assert gone.rowcount == 1


def test_what_comes_behind_an_error_is_not_run(pipeline: Pipeline) -> None:
    """What came before, without a transaction, neither; the connection goes on."""
    pipeline.run([(ADD, {"content": b"a"})])
    with pytest.raises(psycopg.errors.UniqueViolation):
        pipeline.run([(ADD, {"content": content}) for content in (b"b", b"a", b"c")])
    assert contents(pipeline) == [b"a"]


def test_a_statement_that_could_not_be_prepared_may_come_again(pipeline: Pipeline) -> None:
    """As when its table is there; so may one that was behind it, and was not prepared either."""
    early, late = "SELECT count(*) FROM others", "SELECT 'late'"
    with pytest.raises(psycopg.errors.UndefinedTable):
        pipeline.run([("SELECT 'first'", {}), (early, {}), (late, {})])
    pipeline.run([("CREATE TABLE others (id int)", {})])
    assert [each.fetchone() for each in pipeline.run([(early, {}), (late, {})])] == [(0,), ("late",)]


def test_cursors_beside_it_leave_its_statements(connection: "psycopg.Connection[Any]", pipeline: Pipeline) -> None:
    """The driver forgets all prepared statements behind a ROLLBACK, where it has some of its own."""
    assert contents(pipeline) == []
    for _ in range(10):
        connection.execute("SELECT %s::int", (1,))
    for command in ("BEGIN", "ROLLBACK", "SELECT 1"):
        connection.execute(command)
    assert contents(pipeline) == []


@pytest.mark.parametrize("value", ["a\0b", object()], ids=["NUL", "object"])
def test_a_value_that_no_column_takes_is_refused(pipeline: Pipeline, value: object) -> None:
    """What comes before it is run, as a savepoint has to be, and nothing behind it; the connection goes on."""
    before, behind = ((ADD, {"content": content}) for content in (b"a", b"b"))
    with pytest.raises(psycopg.Error):
        pipeline.run([before, ("SELECT %(value)s::text", {"value": value}), behind])
    assert contents(pipeline) == [b"a"]


def test_much_goes_both_ways_at_once(pipeline: Pipeline) -> None:
    """More than the buffers of both sides hold: neither waits for the other."""
    asked = [("SELECT %(content)s::bytea", {"content": os.urandom(MEBIBYTE)}) for _ in range(32)]
    answers: list[Rows] = pipeline.run(asked)
    assert [answer.fetchone() for answer in answers] == [(values["content"],) for _, values in asked]


def test_a_connection_that_ends_is_closed(connection: "psycopg.Connection[Any]", pipeline: Pipeline) -> None:
    """The error is the driver's; so is that of the next."""
    ended: list[Command] = [("SELECT pg_terminate_backend(pg_backend_pid())", {}), (ALL, {})]
    for commands in (ended, ended[1:]):
        with pytest.raises(psycopg.OperationalError):
            pipeline.run(commands)
        assert connection.closed


def test_an_interrupted_wait_closes_the_connection(connection: "psycopg.Connection[Any]", pipeline: Pipeline) -> None:
    """Its answers would be taken for those to the next statement."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run([("SELECT pg_sleep(30)", {})])
    signal.signal(signal.SIGALRM, before)
    assert connection.closed


def test_a_column_of_another_type_is_refused(pipeline: Pipeline) -> None:
    """It is told how it can be read; the connection goes on."""
    with pytest.raises(psycopg.ProgrammingError, match="cast"):
        pipeline.run([("SELECT now()", {})])
    assert contents(pipeline) == []
