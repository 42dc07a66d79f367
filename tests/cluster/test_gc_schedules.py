"""Collections on one node beside pushes and mounts on another: 10,000 schedules, a fault at every statement."""

import asyncio
import os

import pytest

from tests.postgres import PostgresServer
from tests.registry.content.gc_schedules import pair_of_nodes, schedules

COUNT = int(os.environ.get("SCHEDULES", "10000"))


@pytest.mark.timeout(8 * 3600)
def test_nothing_is_lost_and_nothing_stays(postgres: PostgresServer) -> None:
    """As `tests/registry/content/test_gc_on_two_nodes.py`, at every statement."""
    with pair_of_nodes(postgres) as pair, asyncio.Runner() as runner:
        lengths = runner.run(pair.lengths())
        cut = [runner.run(pair.follow(schedule)) for schedule in schedules(COUNT, lengths)]
    assert 4 * max(lengths) <= COUNT, "each statement has its fault, run and not"
    assert (pair.lost, pair.leaked) == ([], [])
    assert sum(cut) > COUNT // 2
