"""Fixtures of the caller's side."""

from collections.abc import Iterator

import pytest

from tests.policy.client.playback import Playback, playing


@pytest.fixture
def server() -> Iterator[Playback]:
    """A running playback server."""
    with playing() as running:
        yield running
