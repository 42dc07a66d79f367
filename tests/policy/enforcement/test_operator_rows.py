"""Standing orders in PostgreSQL: changed by any node, followed by all, kept when results are begun anew."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Protocol

import pytest

from policy.definition.policy import known_policies
from policy.enforcement.exemptions import Exemption
from policy.enforcement.operator_file import Activation, OperatorFile, OperatorFileRefused
from policy.enforcement.operator_rows import SCHEMA, OperatorRows
from policy.results.postgres_schema import NAME
from policy.results.postgres_store import PostgresResults
from registry.database.postgres import Database
from registry.oci.errors import Unavailable
from tests.postgres import PostgresServer, postgres_server
from tests.waiting import PATIENCE, wait_until

EXEMPTION = Exemption("e1", "team/*", "", "python", "somebody", "a reason", time.time() + 3600)
POLICY = known_policies()["azureml-2019-07"]
ACTIVATION = Activation("*", POLICY.name, POLICY.digest, dict(POLICY.content), 1.0)
NONE = OperatorFile()
DAMAGE = [
    "DROP TABLE standing_orders",
    "DELETE FROM standing_orders",
    "UPDATE standing_orders SET content = '{'",
]


class Open(Protocol):
    """Opens the orders of another node."""

    def __call__(self, first: OperatorFile = NONE) -> OperatorRows:
        """Over the same database."""
        ...


@pytest.fixture
def database(postgres: PostgresServer) -> Database:
    """An empty one."""
    return postgres.new_database()


@pytest.fixture
def node(database: Database) -> Iterator[Open]:
    """The orders of another node over it."""
    with ExitStack() as opened:

        def another(first: OperatorFile = NONE) -> OperatorRows:
            results = PostgresResults(database, silence_seconds=PATIENCE)
            opened.callback(results.close)
            return OperatorRows(results, first)

        yield another


def numbered(number: int) -> Exemption:
    """One of many exemptions."""
    return Exemption(f"e{number}", "team/*", "", "python", "somebody", "a reason", 1.0)


def test_there_are_none_at_first(node: Open) -> None:
    """As without a file."""
    assert node().current() == OperatorFile()


def test_those_of_a_folder_are_taken_over_once(node: Open) -> None:
    """By the first node, and not again when all have ended."""
    of_folder = OperatorFile(exemptions=(EXEMPTION,))
    orders = node(of_folder)
    assert orders.current() == node().current() == of_folder
    orders.change(lambda before: before.without_exemption(EXEMPTION.id))
    assert node(of_folder).current() == NONE


def test_a_change_is_followed_by_other_nodes(node: Open) -> None:
    """And by one that is started later."""
    first, second = node(), node()
    wanted = first.change(lambda orders: orders.with_activation(ACTIVATION).with_exemption(EXEMPTION))
    assert first.current() == node().current() == wanted == OperatorFile((ACTIVATION,), (EXEMPTION,))
    wait_until(lambda: second.current() == wanted)
    assert (first.changes, second.changes) == (1, 1)


def test_changes_of_many_nodes_are_all_there(node: Open) -> None:
    """One after the other: none is lost."""
    nodes = [node() for _ in range(3)]

    def add(number: int) -> None:
        nodes[number % 3].change(lambda orders: orders.with_exemption(numbered(number)))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(add, range(30)))
    wait_until(lambda: all(len(each.current().exemptions) == 30 for each in nodes))


def test_a_change_that_cannot_be_made_is_refused(node: Open) -> None:
    """And changes nothing."""
    orders = node()
    orders.change(lambda before: before.with_exemption(EXEMPTION))
    with pytest.raises(OperatorFileRefused, match="there is no exemption other"):
        orders.change(lambda before: before.without_exemption("other"))
    assert orders.current().exemptions == (EXEMPTION,)


def test_orders_stay_when_results_are_begun_anew(node: Open, database: Database) -> None:
    """Results can be computed again, these cannot."""
    orders = node()
    orders.change(lambda before: before.with_exemption(EXEMPTION))
    with database.connect(autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {NAME} CASCADE")
    assert node().current().exemptions == (EXEMPTION,)


@pytest.mark.parametrize("damage", DAMAGE)
def test_orders_that_cannot_be_read_are_refused(node: Open, database: Database, damage: str) -> None:
    """They are not taken for none."""
    orders = node()
    orders.change(lambda before: before.with_exemption(EXEMPTION))
    with database.connect({"search_path": SCHEMA}, autocommit=True) as connection:
        connection.execute(damage)
    with pytest.raises(OperatorFileRefused, match="restore it from a backup"):
        orders.change(lambda before: before.with_exemption(EXEMPTION))


def test_a_silent_database_is_no_answer() -> None:
    """Nobody is let in by an exemption that may have ended."""
    with postgres_server() as own, closing(PostgresResults(own.new_database())) as results:
        orders = OperatorRows(results, NONE)
        own.signal_all(signal.SIGSTOP)
        wait_until(lambda: is_refused(orders))
        own.signal_all(signal.SIGCONT)
        wait_until(lambda: not is_refused(orders))


def is_refused(orders: OperatorRows) -> bool:
    """Whether it cannot be known what counts."""
    try:
        orders.current()
    except Unavailable:
        return True
    return False
