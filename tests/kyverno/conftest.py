"""The Kyverno that `make test-kyverno` builds, and a server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kyverno.kyverno import Kyverno
from tests.policy.live import LiveGateway, live_gateway

# A program that takes half an hour to build: `make test-kyverno` has it.
collect_ignore_glob = [] if os.environ.get("KYVERNO") else ["test_*.py"]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server without content."""
    with live_gateway(tmp_path / "data") as gateway:
        yield gateway


@pytest.fixture
def kyverno(live: LiveGateway, tmp_path: Path) -> Kyverno:
    """Kyverno's command line, signed in as the owner, with the policy for this server."""
    return Kyverno(tmp_path / "home", live)
