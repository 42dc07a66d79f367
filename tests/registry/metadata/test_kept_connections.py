"""Connections to PostgreSQL that are kept: the database may end them at any time, as by a restart."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, event, func, select

from registry.database.postgres import Database, engine_of, read_from
from registry.database.statement import Statement, autocommit
from registry.metadata.open_postgres import open_postgres
from registry.metadata.postgres_store import PostgresStore
from registry.oci.errors import Unavailable
from tests.postgres import PostgresServer
from tests.waiting import wait_until

AT_ONCE = 4
SESSION = Statement(select(func.pg_backend_pid(), func.pg_sleep(0.2)))
ITS_END = Statement(select(func.pg_terminate_backend(func.pg_backend_pid())))


@autocommit
def alone(connection: Connection) -> int:
    """The process that is asked, in no transaction."""
    return int(SESSION.scalar(connection, {}))


def in_transaction(connection: Connection) -> int:
    """The process that is asked, in a transaction."""
    return int(SESSION.scalar(connection, {}))


def by_sqlalchemy(connection: Connection) -> int:
    """The process that is asked, as SQLAlchemy does it."""
    return int(connection.execute(select(func.pg_backend_pid(), func.pg_sleep(0.2))).scalar_one())


def end_of_its_own(connection: Connection) -> None:
    """A query that no connection survives."""
    ITS_END.scalar(connection, {})


def end(database: Database, processes: list[int]) -> None:
    """End these, and return when they have gone."""
    with database.connect(autocommit=True) as beside:
        beside.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::integer[]) AS pid", (processes,))


def said_by_the_pool(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What is logged of connections."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("sqlalchemy")]


@pytest.mark.parametrize("query", [alone, in_transaction, by_sqlalchemy])
def test_reads_are_made_again_where_it_has_ended(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture, query: Callable[[Connection], int]
) -> None:
    """Each of those that were kept; nothing is logged."""
    database = postgres.new_database()

    async def processes(store: PostgresStore) -> list[int]:
        return list(await asyncio.gather(*(store.read(query) for _ in range(AT_ONCE))))

    async def scenario(store: PostgresStore) -> set[int]:
        before = await processes(store)
        end(database, before)
        return {*await processes(store)} & {*before}

    store = open_postgres(database, silence_seconds=30)
    with caplog.at_level(logging.WARNING):
        assert asyncio.run(scenario(store)) == set()
    store.close()
    assert said_by_the_pool(caplog) == []


def test_changes_are_made_on_another_where_it_has_ended(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Alone or together with others; nothing is logged."""
    database = postgres.new_database()

    async def scenario(store: PostgresStore, at_once: int) -> set[int]:
        before = await store.write(alone)
        end(database, [before])
        return {*await asyncio.gather(*(store.write(alone) for _ in range(at_once)))} & {before}

    store = open_postgres(database, silence_seconds=30)
    with caplog.at_level(logging.WARNING):
        assert [asyncio.run(scenario(store, at_once)) for at_once in (1, AT_ONCE)] == [set(), set()]
    store.close()
    assert said_by_the_pool(caplog) == []


def test_a_read_that_ends_its_connection_is_made_twice(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Then it is refused, and nothing is logged."""
    store = open_postgres(postgres.new_database(), silence_seconds=30)
    with caplog.at_level(logging.WARNING), pytest.raises(Unavailable, match="away"):
        asyncio.run(store.read(end_of_its_own))
    store.close()
    assert said_by_the_pool(caplog) == []


def test_a_connection_that_ends_behind_an_answer_is_let_go_of(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer counts; nothing is logged."""
    database = postgres.new_database()

    def asked(connection: Connection) -> int:
        process = in_transaction(connection)
        end(database, [process])
        return process

    store = open_postgres(database, silence_seconds=30)
    with caplog.at_level(logging.WARNING):
        assert asyncio.run(store.read(asked)) != asyncio.run(store.read(in_transaction))
    store.close()
    assert said_by_the_pool(caplog) == []


def test_a_connection_that_goes_back_as_the_others_are_closed_is_closed_too(postgres: PostgresServer) -> None:
    """Nobody would ever ask for it again."""
    database = postgres.new_database()
    engine = engine_of(database, 1, reads=True)
    event.listen(engine.pool, "checkin", lambda *_: engine.dispose(), once=True)
    process = read_from(engine, in_transaction)
    with database.connect(autocommit=True) as beside:
        seen = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        wait_until(lambda: beside.execute(seen, (process,)).fetchone() is None)
    engine.dispose()


def test_a_connection_in_use_is_closed_behind_it_where_the_others_were(postgres: PostgresServer) -> None:
    """Nobody would ever ask for it again."""
    database = postgres.new_database()
    engine = engine_of(database, 1, reads=True)

    def asked(connection: Connection) -> int:
        engine.dispose()
        return in_transaction(connection)

    process = read_from(engine, asked)
    with database.connect(autocommit=True) as beside:
        seen = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        wait_until(lambda: beside.execute(seen, (process,)).fetchone() is None)
    engine.dispose()
