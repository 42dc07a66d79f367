"""What every store promises, asked of servers that take minutes to build: `make test-cluster` has them."""

import os

import pytest

from tests.cluster.object_stores import KINDS, SERVERS
from tests.registry.storage.conftest import spoil, store
from tests.registry.storage.object_servers import ObjectServer
from tests.registry.storage.stores import Kind

__all__ = ["spoil", "store"]

collect_ignore_glob = [] if os.environ.get("CLUSTER") else ["test_*.py"]


@pytest.fixture(scope="session", params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind in turn."""
    chosen: Kind = request.param
    return chosen


@pytest.fixture(scope="session", params=list(SERVERS))
def server(request: pytest.FixtureRequest) -> ObjectServer:
    """Each server in turn."""
    return SERVERS[request.param]()
