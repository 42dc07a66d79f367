"""Waiting for what happens beside a test."""

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds; a machine under load takes some of them."""


def wait_until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return when it holds; fail when it does not within so many seconds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "what the test waits for did not happen"
        time.sleep(0.02)
