"""What every metadata store promises (`registry.metadata.store`), shown on each of them."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from registry.metadata import blobs, garbage, principals, repositories
from registry.metadata.open_store import open_metadata
from registry.metadata.principals import PrincipalRow, SecretRow
from registry.metadata.store import MetadataStore
from registry.metadata.trash import collection
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from registry.oci.names import RepositoryName

NAME = RepositoryName("team/app")
SOMEBODY = PrincipalRow("0" * 36, "somebody", "Owner", ("*",), enabled=True, created=1.0)
SECRET = SecretRow("password1", "hash", 9.0, 1.0)
PRINCIPAL_CHANGES: tuple[Callable[[Connection], object], ...] = (
    lambda connection: principals.add(connection, SOMEBODY),
    lambda connection: principals.replace_secrets(connection, SOMEBODY.id, [SECRET]),
    lambda connection: principals.set_enabled(connection, SOMEBODY.id, enabled=False),
    lambda connection: principals.remove(connection, SOMEBODY.id),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], MetadataStore]]:
    """Opens one database anew each time it is called."""
    opened: list[MetadataStore] = []
    is_file = request.param == "sqlite"
    opener: Callable[[], MetadataStore] = (
        partial(open_metadata, tmp_path) if is_file else request.getfixturevalue("postgres").opener()
    )

    def once_more() -> MetadataStore:
        opened.append(opener())
        return opened[-1]

    yield once_more
    for store in opened:
        store.close()


def add_then_fail(connection: Connection) -> None:
    """A change that is refused after it has written."""
    repositories.ensure(connection, NAME, 1.0)
    raise Denied("not today")


def test_a_write_is_seen_by_the_next_read(reopen: Callable[[], MetadataStore]) -> None:
    """What `write` returned from is what `read` finds."""

    async def scenario() -> None:
        store = reopen()
        made = await store.write(repositories.ensure, NAME, 1.0)
        assert await store.read(repositories.find, NAME) == made

    asyncio.run(scenario())


def test_a_write_is_seen_by_another_process(reopen: Callable[[], MetadataStore]) -> None:
    """A second store over the same database finds it at once."""

    async def scenario() -> None:
        first, second = reopen(), reopen()
        made = await first.write(repositories.ensure, NAME, 1.0)
        assert await second.read(repositories.find, NAME) == made

    asyncio.run(scenario())


def test_a_refused_change_leaves_nothing(reopen: Callable[[], MetadataStore]) -> None:
    """The exception reaches the caller, what was written before it is undone."""

    async def scenario() -> None:
        store = reopen()
        with pytest.raises(Denied, match="not today"):
            await store.write(add_then_fail)
        assert await store.read(repositories.find, NAME) is None

    asyncio.run(scenario())


def test_writes_that_share_a_commit_fail_alone(reopen: Callable[[], MetadataStore]) -> None:
    """Of a hundred concurrent writes every second is refused, and only those."""

    async def scenario() -> None:
        store = reopen()
        names = [RepositoryName(f"r{number:03}") for number in range(50)]
        good = [store.write(repositories.ensure, name, 1.0) for name in names]
        bad = [store.write(add_then_fail) for _ in names]
        both = [work for pair in zip(good, bad, strict=True) for work in pair]
        answers = await asyncio.gather(*both, return_exceptions=True)
        assert [isinstance(answer, Denied) for answer in answers] == [False, True] * 50
        assert await store.read(repositories.page, "", 100) == names

    asyncio.run(scenario())


def test_two_processes_can_write_at_the_same_time(reopen: Callable[[], MetadataStore]) -> None:
    """Their changes queue up, none is lost."""

    async def scenario() -> None:
        stores = (reopen(), reopen())
        names = [RepositoryName(f"r{number:03}") for number in range(60)]
        await asyncio.gather(*(stores[at % 2].write(repositories.ensure, name, 1.0) for at, name in enumerate(names)))
        assert await stores[0].read(repositories.page, "", 100) == names

    asyncio.run(scenario())


def test_a_read_must_not_write(reopen: Callable[[], MetadataStore]) -> None:
    """The database itself refuses."""

    async def scenario() -> None:
        store = reopen()
        with pytest.raises(Exception, match=r"readonly|read-only|cannot be reached"):
            await store.read(repositories.ensure, NAME, 1.0)

    asyncio.run(scenario())


def test_the_generation_changes_with_an_own_write(reopen: Callable[[], MetadataStore]) -> None:
    """At once, when `write` returns."""

    async def scenario() -> None:
        store = reopen()
        before = store.generation()
        await store.write(repositories.ensure, NAME, 1.0)
        assert store.generation() != before

    asyncio.run(scenario())


def test_the_generation_changes_with_a_write_of_another_process(reopen: Callable[[], MetadataStore]) -> None:
    """Within a second."""

    async def scenario() -> None:
        watching, writing = reopen(), reopen()
        before = watching.generation()
        await writing.write(repositories.ensure, NAME, 1.0)
        await asyncio.sleep(1)
        assert watching.generation() != before

    asyncio.run(scenario())


def test_principals_have_a_generation_of_their_own(reopen: Callable[[], MetadataStore]) -> None:
    """It changes at once with every own change of a principal."""

    async def scenario() -> None:
        store = reopen()
        seen = [store.principals_generation()]
        for change in PRINCIPAL_CHANGES:
            await store.write(change)
            seen.append(store.principals_generation())
        assert len(set(seen)) == len(PRINCIPAL_CHANGES) + 1

    asyncio.run(scenario())


def test_the_generation_of_principals_changes_with_another_process(reopen: Callable[[], MetadataStore]) -> None:
    """Within a second."""

    async def scenario() -> None:
        watching, writing = reopen(), reopen()
        before = watching.principals_generation()
        await writing.write(principals.add, SOMEBODY)
        await asyncio.sleep(1)
        assert watching.principals_generation() != before

    asyncio.run(scenario())


BLOB_LOSSES: tuple[Callable[[Connection], object], ...] = (
    lambda connection: blobs.unlink(connection, 1, Digest.of(b"x")),
    lambda connection: garbage.drop_links(connection, [], 1.0, collection(1.0)),
    lambda connection: repositories.remove(connection, NAME),
)


def test_the_loss_of_blobs_has_a_generation_of_its_own(reopen: Callable[[], MetadataStore]) -> None:
    """It changes at once with every own change that may take a blob from a repository."""

    async def scenario() -> None:
        store = reopen()
        seen = [store.losses_generation()]
        for change in BLOB_LOSSES:
            await store.write(change)
            seen.append(store.losses_generation())
        assert len(set(seen)) == len(BLOB_LOSSES) + 1

    asyncio.run(scenario())


def test_the_generation_of_losses_changes_with_another_process(reopen: Callable[[], MetadataStore]) -> None:
    """Within a second."""

    async def scenario() -> None:
        watching, writing = reopen(), reopen()
        before = watching.losses_generation()
        await writing.write(repositories.remove, NAME)
        await writing.write(repositories.ensure, NAME, 1.0)
        await asyncio.sleep(1)
        assert watching.losses_generation() != before

    asyncio.run(scenario())


def test_the_generation_stands_still_without_a_write(reopen: Callable[[], MetadataStore]) -> None:
    """Reads do not change it."""

    async def scenario() -> None:
        store = reopen()
        before = store.generation()
        await asyncio.sleep(0.15)
        await store.read(repositories.find, NAME)
        assert store.generation() == before

    asyncio.run(scenario())


def test_close_finishes_what_waits(reopen: Callable[[], MetadataStore]) -> None:
    """A change handed in before `close` is there when the database is opened again."""

    async def scenario() -> None:
        store = reopen()
        waiting = asyncio.create_task(store.write(repositories.ensure, NAME, 1.0))
        await asyncio.sleep(0)
        store.close()
        await waiting
        assert await reopen().read(repositories.find, NAME) is not None

    asyncio.run(scenario())


def test_a_caller_that_gives_up_does_not_stop_the_others(reopen: Callable[[], MetadataStore]) -> None:
    """A cancelled write leaves the store working."""

    async def scenario() -> None:
        store = reopen()
        waiting = asyncio.create_task(store.write(repositories.ensure, NAME, 1.0))
        await asyncio.sleep(0)
        waiting.cancel()
        await store.write(repositories.ensure, RepositoryName("other"), 1.0)
        assert await store.read(repositories.find, RepositoryName("other")) is not None

    asyncio.run(scenario())
