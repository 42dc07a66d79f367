"""Stores of results, on each database in turn."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from policy.results.sqlite_store import SqliteResults
from policy.results.store import ResultStore
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from tests.postgres import PostgresServer


def results_opener(server: "PostgresServer") -> Callable[[], ResultStore]:
    """Opens the results of one new database, as often as it is called. A busy machine is no silent database."""
    from policy.results.postgres_store import PostgresResults  # noqa: PLC0415 - few tests need the driver

    return partial(PostgresResults, server.new_database(), silence_seconds=PATIENCE)


@pytest.fixture(params=["sqlite", "postgresql"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], ResultStore]]:
    """Opens one database anew each time it is called."""
    opened: list[ResultStore] = []
    opener: Callable[[], ResultStore] = partial(SqliteResults, tmp_path / "policy.db")
    if request.param == "postgresql":
        opener = results_opener(request.getfixturevalue("postgres"))

    def once_more() -> ResultStore:
        opened.append(opener())
        return opened[-1]

    yield once_more
    for store in opened:
        store.close()


@pytest.fixture
def results(reopen: Callable[[], ResultStore]) -> ResultStore:
    """An empty store."""
    return reopen()
