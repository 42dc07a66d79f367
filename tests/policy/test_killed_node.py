"""Nodes that are killed under pushes: what either has acknowledged, both serve, and nothing stands in anybody's way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.policy.killed_nodes import (
    Cluster,
    cluster,
    cut_off,
    killing,
    left,
    lost,
    refused,
    when_still,
    without_verdict,
)
from tests.postgres import PostgresServer

KILLS, PUSHES = 3, 24


@pytest.fixture
def held(postgres: PostgresServer, tmp_path: Path) -> Iterator[Cluster]:
    """Two servers in processes of their own."""
    with cluster(postgres, tmp_path) as both:
        yield both


@pytest.mark.timeout(1800)  # a machine that does much else gives little to servers that start
def test_either_node_may_be_killed(held: Cluster) -> None:
    """Some times, while four writers push; `make test-cluster` has 200."""
    killing(held, KILLS, PUSHES)
    assert len(held.acknowledged) >= PUSHES
    assert sum(node.kills for node in held.nodes) == KILLS
    assert cut_off(held) == []
    assert lost(held) == without_verdict(held) == []
    assert when_still(lambda: left(held)) == {}
    assert refused(held) == []
