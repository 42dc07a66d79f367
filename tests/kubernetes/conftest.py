"""What asks (parts of Kubernetes, compiled by `make test-kubernetes`), and what is asked: a basegate over TLS."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.trees import cleared_image, refused_image
from tests.kubernetes.lab import PROGRAMS, Lab, started
from tests.policy.live import LiveGateway

# Programs that take minutes to build: `make test-kubernetes` has them.
collect_ignore_glob = [] if os.environ.get("KUBERNETES") else ["test_*.py"]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A basegate with a cleared and a refused image, and the manifests filled in for it."""
    folder = tmp_path_factory.mktemp("kubernetes")
    with started(folder) as made:
        fill(made.gateway, folder)
        yield made


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of what was compiled."""
    assert (PROGRAMS / ".built").exists(), "make test-kubernetes compiles what is needed"
    return PROGRAMS


def fill(gateway: LiveGateway, folder: Path) -> None:
    """Push `team/app:good` and `team/app:bad`."""
    gateway.push(folder / "good", "team/app:good", cleared_image())
    gateway.push(folder / "bad", "team/app:bad", refused_image())
