"""One live cloud and one signed-in az for the tests of this folder; everything of azure-cli runs in one process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.azure.az import Az, Cloud, live_cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A basegate with its endpoint, where buildah builds."""
    with live_cloud(tmp_path_factory.mktemp("cloud"), BUILDS__BUILDER="buildah") as live:
        yield live


@pytest.fixture(scope="session")
def az(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Az:
    """An az that is signed in as the owner."""
    return cloud.signed_in(tmp_path_factory.mktemp("az"), cloud.owner)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for an az of a test's own: az remembers tokens in it."""
    return tmp_path / "az"
