"""A data folder with the services on it, and a live server over one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.open_services import OpenServices, open_services
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry


@pytest.fixture
def services(tmp_path: Path) -> Iterator[OpenServices]:
    """The services with the default settings and an open gate."""
    with open_services(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveRegistry]:
    """A running registry without content where nobody has to sign in."""
    with open_registry(tmp_path / "data") as started:
        yield started


@pytest.fixture
def repository(live: LiveRegistry) -> Iterator[Repository]:
    """A repository of it that nobody has pushed to."""
    with live.client() as client:
        yield Repository(client, "team/app")
