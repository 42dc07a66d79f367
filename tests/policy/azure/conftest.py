"""One live basegate for the tests of the data plane; a repository of its own for each test that changes something."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway

_NUMBERS = count()


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """`team/app` holds `good`, `bad` and `both`, an index of the two."""
    folder = tmp_path_factory.mktemp("data-plane")
    with live_gateway(folder / "data") as live:
        live.push(folder / "good", "team/app:good", cleared_image())
        live.push(folder / "bad", "team/app:bad", refused_image())
        live.push(folder / "both", "team/app:both", cleared_image(), refused_image())
        yield live


@pytest.fixture
def name(lab: LiveGateway, tmp_path: Path) -> str:
    """A repository with the tags `v1` and `v2`, of two images."""
    repository = f"lab/number{next(_NUMBERS)}"
    lab.push(tmp_path / "first", f"{repository}:v1", cleared_image())
    lab.push(tmp_path / "second", f"{repository}:v2", refused_image())
    return repository
