"""Look-ups of tags in PostgreSQL: those of one moment share a question, and none takes an answer from before it."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from registry.database.shared_question import MOST
from registry.metadata.open_postgres import open_postgres
from registry.metadata.postgres_store import PostgresStore
from registry.metadata.tag_lookups import NOTHING, Tagged, TagLookups
from registry.metadata.transactions import ChangeContext, ManifestChange, record_manifest
from registry.oci.digest import Digest
from registry.oci.errors import Unavailable
from registry.oci.manifest import parse_manifest
from registry.oci.names import RepositoryName, Tag
from tests.database_wire import DatabaseWire, database_wire
from tests.postgres import PostgresServer
from tests.registry.open_services import image
from tests.waiting import wait_until

NAME, TAG = RepositoryName("team/app"), Tag("v1")
SESSION = (
    "SELECT query_start, state, pid, coalesce(wait_event_type, '') FROM pg_stat_activity "
    "WHERE query LIKE '%WITH ORDINALITY%' AND pid <> pg_backend_pid() AND datname = current_database()"
)
MANIFESTS = [image((), annotations={"number": str(number)}) for number in range(2)]
OLD, NEW = (Digest.of(raw) for raw in MANIFESTS)


@dataclass(frozen=True)
class Asked:
    """A store whose questions are counted, and a connection beside it."""

    store: PostgresStore
    wire: DatabaseWire
    beside: "psycopg.Connection[Any]"

    def questions(self) -> int:
        """How often it has asked for tags."""
        return sum("WITH ORDINALITY" in text for each in self.wire.sessions for text in each.statements)

    def session(self) -> tuple[Any, ...]:
        """Of the questions: when the last was put, whether it is done, the process, and what it waits for."""
        self.beside.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction it is kept
        return self.beside.execute(SESSION).fetchone() or ()

    async def put(self) -> None:
        """Return when a question is on its way, and waits for a lock."""
        await turns()
        wait_until(lambda: self.session()[3] == "Lock")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within the block no question is answered."""
        with self.beside.transaction():
            self.beside.execute("LOCK TABLE tags IN ACCESS EXCLUSIVE MODE")
            yield

    async def warm(self) -> TagLookups:
        """Its look-ups, when they have a connection and rest."""
        lookups = self.store.tag_lookups()
        await lookups.find(NAME, TAG)
        await turns()
        return lookups


@pytest.fixture
def asked(postgres: PostgresServer) -> Iterator[Asked]:
    """The tag stands for the first of two manifests."""
    database = postgres.new_database()
    with tempfile.TemporaryDirectory(dir="/tmp") as place, database_wire(Path(place), postgres.folder) as wire:
        through = replace(database, url=database.url.replace(str(postgres.folder), place))
        with database.connect(autocommit=True) as beside:
            store = open_postgres(through, silence_seconds=30)
            for raw in reversed(MANIFESTS):
                change = ManifestChange(Digest.of(raw), raw, parse_manifest(raw, ""), (TAG,), (), (), frozenset())
                asyncio.run(_write(store, change))
            yield Asked(store, wire, beside)
            store.close()


async def _write(store: PostgresStore, change: ManifestChange) -> None:
    await store.write(record_manifest, ChangeContext(NAME, "", 1.0), change)


async def turns() -> None:
    """Let the event loop begin what there is to begin."""
    for _ in range(3):
        await asyncio.sleep(0)


def digests(found: list[Any]) -> list[Digest | None]:
    """What tags stand for."""
    return [each.row.digest if isinstance(each, Tagged) and each.row else None for each in found]


def test_reads_of_one_moment_share_a_question(asked: Asked) -> None:
    """64 of the same tag, and of others, there or not."""

    async def scenario() -> tuple[int, list[Any]]:
        lookups = await asked.warm()
        before = asked.questions()
        names = [TAG, Tag("v2")] * 32
        found = await asyncio.gather(*(lookups.find(NAME, name) for name in names))
        return asked.questions() - before, found

    questions, found = asyncio.run(scenario())
    assert questions == 1
    assert digests(found) == [OLD, None] * 32


def test_reads_that_come_meanwhile_share_the_next_question(asked: Asked) -> None:
    """However many: one is on its way."""

    async def scenario() -> tuple[int, list[Any]]:
        lookups = await asked.warm()
        before = asked.questions()
        first = asyncio.create_task(lookups.find(NAME, TAG))
        with asked.locked():
            await asked.put()
            others = [asyncio.create_task(lookups.find(NAME, TAG)) for _ in range(64)]
            await turns()
        found = await asyncio.gather(first, *others)
        return asked.questions() - before, found

    questions, found = asyncio.run(scenario())
    assert (questions, digests(found)) == (2, [OLD] * 65)


def test_a_read_takes_no_answer_from_before_it(asked: Asked) -> None:
    """The question before it was answered, but not heard of, when the tag moved."""

    async def scenario() -> list[Any]:
        lookups = await asked.warm()
        before, heard = asked.session(), list[Any]()
        lookups.ask(NAME, TAG, heard.append)
        await asyncio.sleep(0)
        # The question is put. From here on the event loop hears nothing, until the second has begun.
        wait_until(lambda: asked.session()[0] != before[0] and asked.session()[1] == "idle")
        asked.beside.execute("UPDATE tags SET digest = %s", (NEW,))
        return [await lookups.find(NAME, TAG), *heard]

    assert digests(asyncio.run(scenario())) == [NEW, OLD]


def test_an_error_reaches_all_that_wait_and_no_later_one(asked: Asked) -> None:
    """The database ends the connection; the next read has another."""

    async def scenario() -> tuple[list[Any], Tagged]:
        lookups = await asked.warm()
        with asked.locked():
            waiting = [asyncio.create_task(lookups.find(NAME, TAG)) for _ in range(8)]
            await asked.put()
            asked.beside.execute("SELECT pg_terminate_backend(%s)", (asked.session()[2],))
            found = await asyncio.gather(*waiting, return_exceptions=True)
        return found, await lookups.find(NAME, TAG)

    found, later = asyncio.run(scenario())
    assert [type(each) for each in found] == [Unavailable] * 8
    assert digests([later]) == [OLD]


def test_whoever_leaves_takes_no_answer_from_the_others(asked: Asked) -> None:
    """One of them is cancelled while the question is on its way."""

    async def scenario() -> list[Any]:
        lookups = await asked.warm()
        with asked.locked():
            waiting = [asyncio.create_task(lookups.find(NAME, TAG)) for _ in range(3)]
            await asked.put()
            waiting[0].cancel()
            await turns()
        return await asyncio.gather(*waiting, return_exceptions=True)

    found = asyncio.run(scenario())
    assert isinstance(found[0], asyncio.CancelledError)
    assert digests(found[1:]) == [OLD] * 2


def test_a_snapshot_is_another_after_a_commit(asked: Asked) -> None:
    """Of whatever rows; and the same after none."""

    async def scenario() -> list[bytes]:
        lookups = await asked.warm()
        before = [(await lookups.find(*NOTHING)).snapshot, (await lookups.find(NAME, TAG)).snapshot]
        asked.beside.execute("UPDATE repositories SET created = 2")
        return [*before, (await lookups.find(*NOTHING)).snapshot]

    first, second, third = asyncio.run(scenario())
    assert first == second != third


def test_more_tags_than_a_question_takes(asked: Asked) -> None:
    """Two questions, and each read its own answer."""

    async def scenario() -> list[Any]:
        lookups = await asked.warm()
        names = [Tag(f"v{number}") for number in range(2 * MOST)]
        return await asyncio.gather(*(lookups.find(NAME, name) for name in names))

    assert digests(asyncio.run(scenario())) == [None, OLD, *[None] * (2 * MOST - 2)]


def test_a_question_goes_by_indexes_also_when_it_was_prepared_for_empty_tables(asked: Asked) -> None:
    """Each read of a tag is as many rows as it needs, however many there are."""
    asyncio.run(asked.warm())
    session = next(each for each in asked.wire.sessions if any("ORDINALITY" in text for text in each.statements))
    assert all(f"enable_{each}=off" in session.options for each in ("seqscan", "hashjoin", "mergejoin"))
