"""Tests of other folders, as they are, with rows in PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.engines import forget_gone, on_postgres
from tests.policy.conftest import lab
from tests.postgres import PostgresServer
from tests.registry.conftest import live, repository, services

__all__ = ["lab", "live", "repository", "services"]


@pytest.fixture(scope="module", autouse=True)
def engine(postgres: PostgresServer) -> Iterator[None]:
    """What the tests of a module start has its rows there."""
    with on_postgres(postgres):
        yield


@pytest.fixture(autouse=True)
def folders() -> Iterator[None]:
    """Those of a test go behind it, and its databases with them."""
    yield
    forget_gone()
