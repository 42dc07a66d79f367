"""A data folder with the services on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.open_rooms import OpenRooms, open_rooms


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[OpenRooms]:
    """The services with the default settings and an open gate."""
    with open_rooms(tmp_path / "data") as opened:
        yield opened
