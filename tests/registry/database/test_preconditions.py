"""What changes ask of others than the database: several at once, and none past a change that may alter the answer."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from functools import partial

import pytest

from registry.database.precondition import Precondition
from registry.metadata import transactions
from registry.metadata.postgres_store import PostgresStore
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import Unavailable
from registry.oci.names import RepositoryName
from tests.postgres import PostgresServer

AT = ChangeContext(RepositoryName("team/app"), "", 1.0)


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[PostgresStore]:
    """An empty one."""
    opened = postgres.opener()()
    yield opened
    opened.close()


async def together(store: PostgresStore, *writes: Callable[[], Coroutine[None, None, object]]) -> list[object]:
    """What becomes of changes in one transaction: another holds the writer until all of them wait."""
    queued = threading.Event()
    holds = asyncio.ensure_future(store.write(lambda _connection: queued.wait()))
    await asyncio.sleep(0)
    waiting = [asyncio.ensure_future(write()) for write in writes]
    await asyncio.sleep(0)
    queued.set()
    await holds
    return list(await asyncio.gather(*waiting, return_exceptions=True))


def take(store: PostgresStore, ask: Callable[[], bool]) -> Callable[[], Coroutine[None, None, object]]:
    """The change that shows an uploaded blob, if it is there."""
    return partial(store.write, transactions.take_blob, AT, Digest.of(b""), 1, Precondition(ask))


def test_looks_of_one_transaction_are_on_their_way_at_once(store: PostgresStore) -> None:
    """A store that is far away is waited for once: all nodes wait with it."""
    at_once = threading.Barrier(8)

    def ask() -> bool:
        at_once.wait(20)
        return True

    assert asyncio.run(together(store, *(take(store, ask) for _ in range(8)))) == [None] * 8


def test_each_look_is_of_its_own_change(store: PostgresStore) -> None:
    """What is gone, or cannot be asked for, is refused alone."""

    def fails() -> bool:
        raise Unavailable("the store is away")

    asks = (lambda: True, lambda: False, fails, lambda: True)
    found = asyncio.run(together(store, *(take(store, ask) for ask in asks)))
    assert [type(each) for each in found] == [type(None), Unavailable, Unavailable, type(None)]


def test_no_look_comes_before_a_removal_that_is_before_it(store: PostgresStore) -> None:
    """Of the same transaction: it would see what is not there any more."""
    there = threading.Event()
    there.set()
    first, second, third, fourth = (take(store, there.is_set) for _ in range(4))
    remove = partial(store.write, lambda _connection: there.clear())
    found = asyncio.run(together(store, first, second, remove, third, fourth))
    assert [type(each) for each in found] == [type(None), type(None), type(None), Unavailable, Unavailable]
