"""Results in PostgreSQL: begun anew when they are damaged, refused while the database is away."""

import logging
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import NamedTuple

import pytest
from sqlalchemy import Connection, func, select

from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.checksums import RowDamaged
from policy.results.postgres_schema import LOCK, NAME, begun_anew, ensured
from policy.results.postgres_store import PostgresResults
from policy.state import State
from registry.database.postgres import Database, engine_of
from registry.oci.errors import Unavailable
from tests.policy.results.asking import NAMES, ask, fill, subject
from tests.postgres import PostgresServer, postgres_server
from tests.waiting import PATIENCE, wait_until

DAMAGE = [
    "UPDATE verdicts SET state = 'cleared'",
    "UPDATE subjects SET essence = 'another'",
    "UPDATE subjects SET body = 'another'",
    "UPDATE inspections SET body = 'another'",
    "DROP TABLE verdicts",
    "ALTER TABLE subjects DROP COLUMN essence",
    f"DROP SCHEMA {NAME} CASCADE",
]


class Nodes(NamedTuple):
    """Two stores over one database."""

    database: Database
    first: PostgresResults
    second: PostgresResults


@pytest.fixture
def nodes(postgres: PostgresServer) -> Iterator[Nodes]:
    """Of two nodes, over an empty database."""
    database = postgres.new_database()
    with ExitStack() as opened:
        stores = [PostgresResults(database, silence_seconds=PATIENCE) for _ in range(2)]
        for each in stores:
            opened.callback(each.close)
        yield Nodes(database, *stores)


@pytest.fixture
def own() -> Iterator[PostgresServer]:
    """A server of the test's own, to be ended and stopped."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def paused(own: PostgresServer) -> Iterator[PostgresResults]:
    """Results on it, with what they remember; the server is paused meanwhile."""
    with closing(PostgresResults(own.new_database())) as results:
        fill(results)
        results.settle()
        own.signal_all(signal.SIGSTOP)
        yield results
        own.signal_all(signal.SIGCONT)


def change(database: Database, statement: str) -> None:
    """What nobody should do."""
    with database.connect({"search_path": NAME}, autocommit=True) as connection:
        connection.execute(statement)


def is_refused(asked: Callable[[], object]) -> bool:
    """Whether it is refused as unavailable."""
    try:
        asked()
    except Unavailable as error:
        return "has not answered" in error.message
    return False


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_begun_anew(nodes: Nodes, damage: str) -> None:
    """By whichever node meets it; the others go on with the new schema, and drop what they remember."""
    fill(nodes.first)
    nodes.first.settle()
    before = nodes.second.generation()
    assert nodes.second.read(verdicts.find, "policy", NAMES[0]) is State.REFUSED
    change(nodes.database, damage)
    ask(nodes.first)
    wait_until(lambda: nodes.second.generation() > before)
    ask(nodes.second)


def test_damage_that_cannot_be_mended_now_is_refused(postgres: PostgresServer) -> None:
    """Another node keeps its turn for too long: 503, and no error of the driver's."""
    database = replace(postgres.new_database(), lock_seconds=0.1)
    with closing(PostgresResults(database, silence_seconds=PATIENCE)) as results:
        with database.connect(autocommit=True) as other:
            other.execute(f"SELECT pg_advisory_lock({LOCK})")
            change(database, f"DROP SCHEMA {NAME} CASCADE")
            with pytest.raises(Unavailable, match="busy"):
                results.read(verdicts.find, "policy", NAMES[0])
        assert results.read(verdicts.find, "policy", NAMES[0]) is None


def test_what_is_read_behind_damage_is_refused_too(nodes: Nodes) -> None:
    """A connection that ends then, and the next one; and damage that is there again."""
    asked: list[int] = []

    def damaged_then_away(connection: Connection) -> None:
        asked.append(1)
        if len(asked) == 1:
            raise RowDamaged
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    def damaged(_connection: Connection) -> None:
        raise RowDamaged

    for query, told in ((damaged_then_away, "away"), (damaged, "damaged")):
        with pytest.raises(Unavailable, match=told):
            nodes.first.read(query)


def test_what_was_begun_anew_is_kept(nodes: Nodes) -> None:
    """A node that has met the same damage, and comes later, drops nothing."""
    fill(nodes.first)
    nodes.first.settle()
    engine = engine_of(nodes.database, 1, settings={"search_path": NAME})
    with engine.begin() as connection:
        assert begun_anew(connection, "the beginning before") == ensured(connection)
    engine.dispose()
    assert nodes.second.read(verdicts.find, "policy", NAMES[0]) is State.REFUSED


def test_a_beginning_that_is_waited_for_is_seen(postgres: PostgresServer) -> None:
    """By a connection that has looked for the schema while there was none, and still believes so."""
    database = postgres.new_database()
    engine = engine_of(database, 2, settings={"search_path": NAME})
    with engine.begin() as one, engine.begin() as other, ThreadPoolExecutor(1) as pool:
        one.exec_driver_sql("SELECT to_regclass('begun')")
        made = ensured(other)
        waiting = pool.submit(begun_anew, one, "the beginning before")
        wait_until(lambda: is_waited_for(database))
        other.commit()
        assert waiting.result(PATIENCE) == made
    engine.dispose()


def is_waited_for(database: Database) -> bool:
    """Whether somebody waits for a turn."""
    with database.connect() as connection:
        asked = connection.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return asked.fetchone() is not None


def test_verdicts_that_another_node_drops_are_told(nodes: Nodes) -> None:
    """A node that has dropped them itself is not told to drop everything."""
    before = nodes.first.generation(), nodes.second.generation()
    nodes.first.write(verdicts.forget, NAMES[0])
    wait_until(lambda: nodes.second.generation() > before[1])
    assert nodes.first.generation() == before[0]


def test_a_paused_database_is_no_answer(paused: PostgresResults) -> None:
    """Neither reads nor what is remembered: all is refused, after the second that a caller waits at most."""
    wait_until(lambda: is_refused(lambda: paused.read(verdicts.find, "policy", NAMES[0])))
    assert is_refused(paused.generation)
    assert is_refused(lambda: paused.write(verdicts.forget, NAMES[0]))


def test_a_restarted_database_is_used_again(own: PostgresServer) -> None:
    """Without a restart of the node: refused while it is away, and then answered."""
    with closing(PostgresResults(own.new_database())) as results:
        own.stop(signal.SIGQUIT)
        wait_until(lambda: is_refused(results.generation))
        own.start()
        wait_until(lambda: not is_refused(results.generation))
        results.write(inspected_manifests.save, [subject(NAMES[0])])
        assert results.read(inspected_manifests.find, NAMES[0], "a@1") == subject(NAMES[0])


def test_a_change_whose_connection_ends_is_made_again(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    """By another, once; nothing is logged of the one that has ended."""
    ended: list[int] = []

    def ends(connection: Connection) -> int:
        process = int(connection.execute(select(func.pg_backend_pid())).scalar_one())
        if not ended:
            ended.append(process)
            change(nodes.database, f"SELECT pg_terminate_backend({process}, 5000)")
        return process

    with caplog.at_level(logging.WARNING):
        assert nodes.first.write(ends) not in ended
    assert not [record for record in caplog.records if record.name.startswith("sqlalchemy")]
