"""The authority that the tests of this folder share the making of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.auth.people import Desk, desk


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Desk]:
    """An authority with the default settings that knows one principal of each role."""
    with desk(tmp_path) as opened:
        yield opened
