"""A live endpoint where buildah builds within small limits."""

from collections.abc import Iterator

import pytest

from tests.policy.azure.builds.sending import Sender, sender
from tests.policy.azure.endpoint import LiveEndpoint, live_endpoint

MEBIBYTE = 1 << 20
LIMITS = {
    "builder": "buildah",
    "seconds": 60,
    "disk_bytes": 64 * MEBIBYTE,
    "memory_bytes": 1536 * MEBIBYTE,
    "processes": 64,
    "log_bytes": 256 * 1024,
    "context_bytes": 8 * MEBIBYTE,
    "free_bytes": 0,
}


@pytest.fixture(scope="session")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEndpoint]:
    """The endpoint."""
    with live_endpoint(tmp_path_factory.mktemp("building") / "data", azure={"builds": LIMITS}) as live:
        yield live


@pytest.fixture
def owner(building: LiveEndpoint) -> Iterator[Sender]:
    """Its owner, who may have anything built."""
    found = sender(building)
    with found.client:
        yield found
