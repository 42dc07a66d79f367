"""Turns at inspecting layers: one node at a time, and another when it dies."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from policy.results.layer_turns import LayerTurns
from policy.results.leased_turns import LeasedTurns
from policy.results.postgres_schema import NAME
from policy.results.postgres_store import PostgresResults
from registry.database.postgres import Database
from tests.postgres import PostgresServer
from tests.waiting import PATIENCE, wait_until

LAYER = "sha256:1"
LONG, SHORT = 600.0, 0.5
HOLDER = """
import asyncio, sys, time
from policy.results.leased_turns import LeasedTurns
from policy.results.postgres_store import PostgresResults
from registry.database.postgres import Database

turns = LeasedTurns(PostgresResults(Database(sys.argv[1]), silence_seconds=60).soon, "a@1", float(sys.argv[2]))
print(asyncio.run(turns.take(sys.argv[3])), flush=True)
time.sleep(600)
"""


class Node(Protocol):
    """Makes the turns of another node."""

    def __call__(self, detectors: str = "a@1", seconds: float = LONG) -> LeasedTurns:
        """Over the same database."""
        ...


@pytest.fixture
def database(postgres: PostgresServer) -> Database:
    """An empty one."""
    return postgres.new_database()


@pytest.fixture
def node(database: Database) -> Iterator[Node]:
    """Nodes that share it."""
    with ExitStack() as opened:

        def another(detectors: str = "a@1", seconds: float = LONG) -> LeasedTurns:
            results = PostgresResults(database, silence_seconds=PATIENCE)
            opened.callback(results.close)
            turns = LeasedTurns(results.soon, detectors, seconds)
            opened.callback(turns.close)
            return turns

        yield another


def has(turns: LayerTurns, layer: str = LAYER) -> bool:
    """Whether the turn was to be had."""
    return asyncio.run(turns.take(layer))


def leases(database: Database) -> list[float]:
    """When they end."""
    with database.connect({"search_path": NAME}) as connection:
        return [until for (until,) in connection.execute("SELECT until FROM leases").fetchall()]


def test_one_node_has_the_turn(node: Node) -> None:
    """As often as it asks; another does not, until it is done. Other layers are others' turns."""
    first, second = node(), node()
    assert [has(first), has(first), has(second), has(second, "sha256:2")] == [True, True, False, True]
    first.done(LAYER)
    wait_until(lambda: has(second))
    assert not has(first)


def test_of_many_that_ask_at_once_one_has_it(node: Node) -> None:
    """Whatever the order."""
    nodes = [node() for _ in range(4)]

    async def all_at_once() -> list[bool]:
        return await asyncio.gather(*(each.take(LAYER) for each in nodes))

    assert sorted(asyncio.run(all_at_once())) == [False, False, False, True]


def test_other_detectors_have_turns_of_their_own(node: Node) -> None:
    """As while a newer version is rolled out."""
    assert has(node())
    assert has(node("a@2"))


def test_a_layer_that_is_read_already_is_announced(node: Node, database: Database) -> None:
    """Others wait for it."""
    first, second = node(), node()
    first.announce(LAYER)
    wait_until(lambda: bool(leases(database)))
    assert not has(second)
    first.done(LAYER)
    wait_until(lambda: has(second))


def test_a_living_node_keeps_its_turn(node: Node, database: Database) -> None:
    """Longer than a lease lasts."""
    assert has(node(seconds=SHORT))
    before = leases(database)
    wait_until(lambda: leases(database)[0] > before[0] + 2 * SHORT)
    assert not has(node())


def test_a_node_that_ends_gives_its_turns_back(node: Node) -> None:
    """Long before the lease would end."""
    first, second = node(), node()
    assert has(first)
    first.close()
    wait_until(lambda: has(second))


def test_a_killed_node_is_followed_by_another(node: Node, database: Database) -> None:
    """When its lease ends, and not before: it cannot give it back."""
    arguments = (database.url, str(2.0), LAYER)
    with subprocess.Popen([sys.executable, "-c", HOLDER, *arguments], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        other = node()
        assert not has(other)
        holder.kill()
    wait_until(lambda: has(other))


def test_a_lease_lasts_as_long_as_the_settings_say(database: Database) -> None:
    """`metadata.lease_seconds`; the default is 10."""
    results = PostgresResults(database, silence_seconds=PATIENCE, lease_seconds=LONG)
    turns = results.layer_turns("a@1")
    assert has(turns)
    with database.connect() as connection:
        (now,) = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float").fetchone() or (0.0,)
    assert leases(database)[0] > now + LONG / 2
    turns.close()
    results.close()
