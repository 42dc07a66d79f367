"""Several nodes on one PostgreSQL database: what each commits the others see, in one order."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from registry.database.pulse import CHANNEL, LISTENING, place_of
from registry.metadata import events, principals, repositories
from registry.metadata.events import Event
from registry.metadata.open_postgres import open_postgres
from registry.metadata.postgres_store import PostgresStore
from registry.metadata.principals import PrincipalRow
from registry.metadata.transactions import ChangeContext, ManifestChange, drop_blob, record_manifest, take_blob
from registry.oci.digest import Digest
from registry.oci.errors import Denied, QuotaExceeded
from registry.oci.manifest import parse_manifest
from registry.oci.names import RepositoryName, Tag
from tests.postgres import PostgresServer
from tests.registry.open_services import image
from tests.waiting import wait_until

NAME = RepositoryName("team/app")
SOMEONE = PrincipalRow("22222222-2222-4222-8222-222222222222", "someone", "AcrPull", ("*",), enabled=True, created=1.0)
AT = ChangeContext(NAME, "", 1.0)


@pytest.fixture
def nodes(postgres: PostgresServer) -> Iterator[tuple[PostgresStore, PostgresStore]]:
    """Two stores on one database."""
    opened = postgres.opener()
    first, second = opened(), opened()
    yield first, second
    first.close()
    second.close()


async def changed(number: Callable[[], int], before: int) -> bool:
    """Whether a number changes within a second."""
    for _ in range(100):
        if number() != before:
            return True
        await asyncio.sleep(0.01)
    return False


def test_a_commit_of_another_node_is_told(nodes: tuple[PostgresStore, PostgresStore]) -> None:
    """Its generation rises here, that of principals does not."""
    first, second = nodes

    async def both() -> tuple[bool, int]:
        before, people = second.generation(), second.principals_generation()
        await first.write(repositories.ensure, NAME, 1.0)
        return await changed(second.generation, before), second.principals_generation() - people

    assert asyncio.run(both()) == (True, 0)


def test_changed_principals_of_another_node_are_told(nodes: tuple[PostgresStore, PostgresStore]) -> None:
    """A revocation there is one here."""
    first, second = nodes

    async def both() -> bool:
        await first.write(principals.add, SOMEONE)
        before = second.principals_generation()
        await first.write(principals.set_enabled, SOMEONE.id, enabled=False)
        return await changed(second.principals_generation, before)

    assert asyncio.run(both())


def test_removed_blobs_of_another_node_are_told(nodes: tuple[PostgresStore, PostgresStore]) -> None:
    """What this node remembers of blobs does not count any more."""
    first, second = nodes

    async def both() -> bool:
        before = second.losses_generation()
        await first.write(repositories.remove, NAME)
        return await changed(second.losses_generation, before)

    assert asyncio.run(both())


def _note(connection: Connection, number: int) -> None:
    events.record(connection, float(number), [Event("trial", NAME), Event("trial", NAME)])


async def _write_all(node: PostgresStore, count: int) -> None:
    for first in range(0, count, 5):
        await asyncio.gather(*(node.write(_note, number) for number in range(first, first + 5)))


def test_no_event_comes_behind_a_later_one(nodes: tuple[PostgresStore, PostgresStore]) -> None:
    """Whoever has read up to a number misses none by asking for those after it, while both nodes write."""
    seen: list[int] = []

    async def follow(done: asyncio.Event) -> None:
        while not done.is_set() or (await nodes[1].read(events.ends))[1] > (seen or [0])[-1]:
            seen.extend(each.id for each in await nodes[1].read(events.after, (seen or [0])[-1], 1000))

    async def everybody() -> int:
        done = asyncio.Event()
        following = asyncio.create_task(follow(done))
        await asyncio.gather(*(_write_all(node, 100) for node in nodes))
        done.set()
        await following
        return len(await nodes[0].read(events.after, 0, 1000))

    assert asyncio.run(everybody()) == len(seen) == 400


def _there() -> bool:
    return True


def test_a_quota_holds_for_all_nodes_together(nodes: tuple[PostgresStore, PostgresStore]) -> None:
    """Of twenty blobs that two nodes take at once, as many as fit."""
    at = replace(AT, quota=1000)
    named = [Digest.of(str(number).encode()) for number in range(20)]

    async def all_at_once() -> list[object]:
        taken = (nodes[number % 2].write(take_blob, at, digest, 100, _there) for number, digest in enumerate(named))
        return await asyncio.gather(*taken, return_exceptions=True)

    outcomes = asyncio.run(all_at_once())
    assert outcomes.count(None) == 10
    assert sum(isinstance(each, QuotaExceeded) for each in outcomes) == 10


def _tagging(number: int) -> ManifestChange:
    raw = image((), annotations={"number": str(number)})
    return ManifestChange(Digest.of(raw), raw, parse_manifest(raw, ""), (Tag("v1"),), (), (), (Tag("v1"),))


def test_an_immutable_tag_is_set_by_one_node(nodes: tuple[PostgresStore, PostgresStore]) -> None:
    """Of ten manifests that two nodes take at once under it, one has it."""

    async def all_at_once() -> list[object]:
        pushed = (nodes[number % 2].write(record_manifest, AT, _tagging(number)) for number in range(10))
        return await asyncio.gather(*pushed, return_exceptions=True)

    outcomes = asyncio.run(all_at_once())
    assert outcomes.count(None) == 1
    assert sum(isinstance(each, Denied) for each in outcomes) == 9


def test_one_node_leads(nodes: tuple[PostgresStore, PostgresStore]) -> None:
    """What is done for all is done once; the other takes over when it goes."""
    wait_until(lambda: nodes[0].leads() or nodes[1].leads())
    leading, other = sorted(nodes, key=PostgresStore.leads, reverse=True)
    assert not other.leads()
    leading.close()
    wait_until(other.leads)
    assert not leading.leads()


async def dropped(store: PostgresStore, number: int) -> None:
    """A blob that was taken, and is removed."""
    content = str(number).encode()
    await store.write(take_blob, AT, Digest.of(content), len(content), lambda: True)
    await store.write(drop_blob, AT, Digest.of(content))


def test_a_removal_is_heard_by_all_before_it_is_answered(nodes: tuple[PostgresStore, PostgresStore]) -> None:
    """Each time: what another node remembers of it has ended by then."""
    first, second = nodes

    async def removals() -> list[bool]:
        heard = []
        for number in range(30):
            before = second.losses_generation()
            await dropped(first, number)
            heard.append(second.losses_generation() != before)
        return heard

    assert asyncio.run(removals()) == [True] * 30


def test_who_hears_nothing_is_not_waited_for(postgres: PostgresServer) -> None:
    """For longer than it may serve what it remembers."""
    database = postgres.new_database()
    open_postgres(database).close()
    store = PostgresStore(database, silence_seconds=1.0)
    with database.connect(autocommit=True) as deaf:
        deaf.execute(f"SELECT pg_advisory_lock_shared({LISTENING}, {place_of(CHANNEL)})")
        asyncio.run(dropped(store, 1))
    store.close()
