"""A data folder with the services on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.open_services import OpenServices, open_services


@pytest.fixture
def services(tmp_path: Path) -> Iterator[OpenServices]:
    """The services with the default settings and an open gate."""
    with open_services(tmp_path / "data") as opened:
        yield opened
