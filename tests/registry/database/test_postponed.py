"""Statements whose answer nobody waits for are run in order, and their errors are those of whoever asked for them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import pytest
from sqlalchemy import Connection, select, text

from registry.database.postgres import engine_of
from registry.metadata import repositories, tags
from registry.metadata.postgres_store import PostgresStore
from registry.metadata.tables import repositories as table
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.postgres import PostgresServer

NAME, SECOND = RepositoryName("team/app"), RepositoryName("team/second")
NOTHING = Digest.of(b"")


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[PostgresStore]:
    """An empty one."""
    opened = postgres.opener()()
    yield opened
    opened.close()


def point_from_nowhere(connection: Connection) -> None:
    """The tag of a repository that is not there: refused by the database, which hears of it later."""
    tags.point(connection, -1, Tag("v1"), NOTHING, 1.0, is_new=True)


def names(connection: Connection) -> list[str]:
    """Of all repositories."""
    return list(connection.execute(select(table.c.name).order_by(table.c.name)).scalars())


def test_a_change_that_is_refused_at_the_commit_is_told(store: PostgresStore) -> None:
    """And the store goes on."""

    async def both() -> list[str]:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            await store.write(point_from_nowhere)
        await store.write(repositories.ensure, NAME, 1.0)
        return await store.read(names)

    assert asyncio.run(both()) == [NAME]


async def written_together(store: PostgresStore, *changes: Callable[[Connection], object]) -> list[object]:
    """What became of changes in one transaction: another holds the writer until all of them wait."""
    queued = threading.Event()
    holds = asyncio.ensure_future(store.write(lambda _connection: queued.wait()))
    await asyncio.sleep(0)
    together = asyncio.gather(*(store.write(change) for change in changes), return_exceptions=True)
    await asyncio.sleep(0)
    queued.set()
    await holds
    return list(await together)


def name_a_nul(connection: Connection) -> None:
    """A text that the database has no place for: refused before it is sent."""
    repositories.ensure(connection, RepositoryName("team/\0"), 1.0)


def point_to_a_nul(connection: Connection) -> None:
    """Likewise, in a statement that may wait."""
    tags.point(connection, 1, Tag("\0"), NOTHING, 1.0, is_new=True)


def name_half_a_pair(connection: Connection) -> None:
    """A text that UTF-8 has no bytes for."""
    repositories.ensure(connection, RepositoryName("team/\ud800"), 1.0)


@pytest.mark.parametrize(
    ("refused_change", "kind"),
    [
        (point_from_nowhere, psycopg.errors.ForeignKeyViolation),
        (name_a_nul, psycopg.DataError),
        (point_to_a_nul, psycopg.DataError),
        (name_half_a_pair, UnicodeEncodeError),
    ],
)
def test_a_change_that_is_refused_fails_alone(
    store: PostgresStore, refused_change: Callable[[Connection], None], kind: type[Exception]
) -> None:
    """Its neighbours in the same transaction stand."""
    first, third = (partial(repositories.ensure, name=name, now=1.0) for name in (NAME, SECOND))

    async def all_of_them() -> list[object]:
        return [*await written_together(store, first, refused_change, third), await store.read(names)]

    one, refused, other, there = asyncio.run(all_of_them())
    assert isinstance(refused, kind)
    assert [one, other, there] == [1, 2, [NAME, SECOND]]


def test_what_waits_ends_with_its_transaction(postgres: PostgresServer) -> None:
    """Rolled back, or in one that nobody has committed."""
    engine = engine_of(postgres.new_database("ready"), 1)
    with engine.connect() as connection:
        with connection.begin() as first:
            point_from_nowhere(connection)
            first.rollback()
        with connection.begin():
            repositories.ensure(connection, NAME, 1.0)
        connection.begin()
        point_from_nowhere(connection)
    with engine.begin() as connection:
        assert names(connection) == [NAME]
    engine.dispose()


def test_other_statements_come_behind_what_waits(postgres: PostgresServer) -> None:
    """Whatever way they are run, they see it."""
    engine = engine_of(postgres.new_database("ready"), 1)
    with engine.begin() as connection:
        here = repositories.ensure(connection, NAME, 1.0)
        tags.point(connection, here, Tag("v1"), NOTHING, 1.0, is_new=True)
        assert connection.execute(text("SELECT count(*) FROM tags")).scalar_one() == 1
        tags.point(connection, here, Tag("v2"), NOTHING, 1.0, is_new=True)
        assert tags.current(connection, here, Tag("v2")) == NOTHING
    engine.dispose()
