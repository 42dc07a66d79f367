"""Either of two nodes is killed 200 times under 2,000 pushes."""

from pathlib import Path

import pytest

from tests.policy.killed_nodes import cluster, killing, left, lost, refused, when_still, without_verdict
from tests.postgres import PostgresServer

KILLS, PUSHES = 200, 2000


@pytest.mark.timeout(4 * 3600)
def test_nothing_is_lost_and_nothing_stuck(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever was acknowledged is served by both, is judged, and everything takes the next push."""
    with cluster(postgres, tmp_path) as held:
        killing(held, KILLS, PUSHES)
        with capsys.disabled():
            print(  # noqa: T201
                f"\n{[node.kills for node in held.nodes]} kills, {len(held.acknowledged)} pushes, {held.attempts} begun"
            )
        assert len(held.acknowledged) >= PUSHES
        assert lost(held) == without_verdict(held) == []
        assert when_still(lambda: left(held)) == {}
        assert refused(held) == []
