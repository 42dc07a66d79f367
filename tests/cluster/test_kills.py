"""Either of two nodes is killed 200 times under 2,000 pushes."""

import os
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

KILLS, PUSHES = int(os.environ.get("KILLS", "200")), int(os.environ.get("PUSHES", "2000"))


@pytest.mark.timeout(4 * 3600)
def test_nothing_is_lost_and_nothing_stuck(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever was acknowledged is served by both, is judged, and everything takes the next push."""
    with cluster(postgres, tmp_path) as held, capsys.disabled():
        killing(held, KILLS, PUSHES, tell=lambda: told(held))
        assert cut_off(held) == []
        told(held)
        assert len(held.acknowledged) >= PUSHES
        assert when_still(lambda: left(held)) == {}
        assert lost(held) == without_verdict(held) == []
        assert refused(held) == []


def told(held: Cluster) -> None:
    """Say how far it has come: a run that is ended before its end has shown so much."""
    kills, acknowledged = [node.kills for node in held.nodes], len(held.acknowledged)
    print(f"{kills} kills, {acknowledged} pushes, {held.attempts} begun")  # noqa: T201
