"""Collections on one node beside pushes and mounts on another: 10,000 schedules, a fault at every statement."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.postgres import PostgresServer
from tests.registry.content.gc_schedules import pair_of_nodes, schedules

COUNT = int(os.environ.get("SCHEDULES", "10000"))


@pytest.mark.timeout(8 * 3600)
def test_nothing_is_lost_and_nothing_stays(postgres: PostgresServer) -> None:
    """As `tests/registry/content/test_gc_on_two_nodes.py`, at every statement."""
    with pair_of_nodes(postgres) as pair, asyncio.Runner() as runner:
        lengths = runner.run(pair.lengths())
        cut = [schedule for schedule in schedules(COUNT, lengths) if runner.run(pair.follow(schedule))]
    assert (pair.lost, pair.leaked) == ([], [])
    places = {(schedule.node, schedule.at, schedule.runs) for schedule in cut}
    missed = [place for place in _usual(lengths) if place not in places]
    assert missed == [], "each statement has its fault, run and not"


def _usual(lengths: tuple[int, int]) -> Iterator[tuple[int, int, bool]]:
    """Statements that every schedule comes to: how many there are more depends on how often a collection runs."""
    for node, length in enumerate(lengths):
        yield from ((node, at, runs) for at in range(1, length // 2) for runs in (False, True))
