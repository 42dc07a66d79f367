"""One live registry for all clauses, and a fresh repository for each test."""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry

if TYPE_CHECKING:
    from tests.postgres import PostgresServer


@pytest.fixture(scope="session", params=["fast", "plain", "postgresql"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegistry]:
    """A registry where nobody has to sign in; every clause holds on both of the server's paths, and on both engines."""
    groups: dict[str, Any] = {"server": {"fast": request.param != "plain"}}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        groups["metadata"] = server.settings()
    with open_registry(tmp_path_factory.mktemp("conformance"), **groups) as live:
        yield live


@pytest.fixture(scope="session")
def client(registry: LiveRegistry) -> Iterator[httpx.Client]:
    """A client of it."""
    with registry.client() as client:
        yield client


@pytest.fixture
def repository(client: httpx.Client) -> Repository:
    """A repository that nobody else uses."""
    return Repository(client, f"clause/{uuid.uuid4().hex}")
