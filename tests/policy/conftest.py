"""The services with the policy's gate in them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.policy.lab import Lab, open_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A registry without content that enforces the default policy."""
    with open_lab(tmp_path / "data") as opened:
        yield opened
