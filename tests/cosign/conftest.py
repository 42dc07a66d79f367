"""The cosigns that `make test-cosign` builds, and a server with a cleared and a refused image."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cosign.cosign import VERSIONS, Cosign
from tests.policy.live import LiveGateway, live_gateway

# Programs that take minutes to build: `make test-cosign` has them.
collect_ignore_glob = [] if os.environ.get("COSIGN") else ["test_*.py"]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server without content."""
    with live_gateway(tmp_path / "data") as gateway:
        yield gateway


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Each of them."""
    return str(request.param)


@pytest.fixture
def cosign(live: LiveGateway, tmp_path: Path, version: str) -> Cosign:
    """One of them, signed in as the owner, with the public key."""
    return Cosign(tmp_path / "home", live, version)
