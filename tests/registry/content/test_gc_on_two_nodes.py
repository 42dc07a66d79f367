"""Collections on one node beside pushes and mounts on another, over one database and one store, with faults."""

import asyncio

from tests.postgres import PostgresServer
from tests.registry.content.gc_schedules import pair_of_nodes, schedules

COUNT = 24


def test_nothing_is_lost_and_nothing_stays(postgres: PostgresServer) -> None:
    """A connection of either node is cut at statements all over, which are run or not."""
    with pair_of_nodes(postgres) as pair, asyncio.Runner() as runner:
        lengths = runner.run(pair.lengths())
        cut = [runner.run(pair.follow(schedule)) for schedule in schedules(COUNT, lengths)]
    assert (pair.lost, pair.leaked) == ([], [])
    assert sum(cut) > COUNT // 2
