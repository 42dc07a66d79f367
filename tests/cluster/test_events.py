"""A reader behind a cursor misses no event of 100,000 that eight writers on two nodes commit meanwhile."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import Connection

from registry.metadata import events
from registry.metadata.events import Event
from registry.metadata.postgres_store import PostgresStore
from registry.oci.errors import Unavailable
from tests.postgres import PostgresServer

WRITERS, EVENTS, AT_ONCE = 8, 100_000, 50


def _note(connection: Connection, number: int) -> None:
    events.record(connection, float(number), [Event("trial", "team/app")])


async def _write_one(node: PostgresStore, number: int) -> None:
    """As often as it is refused: whoever does not get the turn within seconds is told to come again."""
    while True:
        with suppress(Unavailable):
            return await node.write(_note, number)


async def _write(node: PostgresStore) -> None:
    for _ in range(EVENTS // WRITERS // AT_ONCE):
        await asyncio.gather(*(_write_one(node, number) for number in range(AT_ONCE)))


async def _follow(node: PostgresStore, seen: list[int]) -> None:
    while len(seen) < EVENTS:
        seen.extend(each.id for each in await node.read(events.after, (seen or [0])[-1], 1000))


@pytest.mark.timeout(3600)
def test_no_event_is_missed(postgres: PostgresServer) -> None:
    """Nor seen twice."""
    opened = postgres.opener()
    nodes = [opened(), opened()]

    async def everybody() -> list[int]:
        seen: list[int] = []
        await asyncio.gather(_follow(nodes[1], seen), *(_write(nodes[number % 2]) for number in range(WRITERS)))
        return seen

    seen = asyncio.run(everybody())
    assert len(set(seen)) == len(seen) == EVENTS
    assert seen == sorted(seen)
    for node in nodes:
        node.close()
