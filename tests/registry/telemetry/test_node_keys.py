"""Nodes that sign with different keys tell of each other, for as long as they live."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from registry.database.pulse import SHOWN
from registry.metadata.node_keys import OtherNodes, of_others
from registry.metadata.postgres_store import PostgresStore
from registry.telemetry.node_keys import NodeKeys
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto
from tests.servers import open_registry
from tests.waiting import wait_until

METRIC = "basegate_nodes_of_other_keys"
Nodes = tuple[PostgresStore, PostgresStore]


@pytest.fixture(autouse=True)
def _every_line() -> None:
    """A server of another test may have left a log of errors alone."""
    structlog.reset_defaults()


@pytest.fixture
def nodes(postgres: PostgresServer) -> Iterator[Nodes]:
    """Two stores on one database."""
    opened = postgres.opener()
    first, second = opened(), opened()
    yield first, second
    first.close()
    second.close()


def seen(node: PostgresStore, key: str) -> OtherNodes:
    """What a node with this key sees of others."""
    return asyncio.run(node.read(of_others, key))


def told(keys: NodeKeys) -> list[str]:
    """What it logs when it looks."""
    with capture_logs() as logged:
        asyncio.run(keys.look())
    return [str(line["event"]) for line in logged]


def test_the_same_key_is_nothing_to_tell(nodes: Nodes) -> None:
    """Whoever shows it."""
    for node in nodes:
        node.show("of all")
    wait_until(lambda: seen(nodes[0], "another").number == 2)
    assert seen(nodes[0], "of all") == OtherNodes(0, ())
    assert told(NodeKeys(nodes[0], "of all")) == []


def test_another_key_is_told_of_once(nodes: Nodes) -> None:
    """By either node; and that it is over when that one has gone."""
    first, second = nodes
    first.show("one")
    second.show("another")
    wait_until(lambda: (seen(first, "one").number, seen(second, "another").number) == (1, 1))
    keys = NodeKeys(first, "one")
    assert told(keys) == ["other nodes of this registry sign with other keys"]
    assert told(keys) == []
    second.close()
    wait_until(lambda: seen(first, "one").number == 0)
    assert told(keys) == ["all nodes of this registry sign with the same keys again"]


def test_a_key_is_shown_again_on_a_new_connection(nodes: Nodes, postgres: PostgresServer) -> None:
    """As when the database was restarted."""
    first, second = nodes
    second.show("another")
    wait_until(lambda: seen(first, "one").number == 1)
    with postgres.at("postgres").connect(autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE classid = %s", (SHOWN,))
    wait_until(lambda: seen(first, "one").number == 1)


def test_a_registry_is_one_number(nodes: Nodes) -> None:
    """The metric, as Prometheus reads it."""
    nodes[1].show("another")
    wait_until(lambda: seen(nodes[0], "one").number == 1)
    keys, collectors = NodeKeys(nodes[0], "one"), CollectorRegistry()
    asyncio.run(keys.look())
    collectors.register(keys)
    assert f"{METRIC} 1.0" in generate_latest(collectors).decode()


def test_a_node_without_the_keys_of_the_first_starts(postgres: PostgresServer, tmp_path: Path) -> None:
    """And is ready: whoever asks no other node is served."""
    groups = {"storage": moto().settings(tmp_path / "store"), "metadata": postgres.settings()}
    with (
        open_registry(tmp_path / "first", **groups),
        open_registry(tmp_path / "second", **groups) as second,
        second.client() as client,
    ):
        wait_until(lambda: f"{METRIC} 1.0" in metrics(client))
        assert client.get("/readyz").status_code == 200


def metrics(client: httpx.Client) -> list[str]:
    """The lines of a server's metrics."""
    return client.get("/metrics").text.splitlines()
