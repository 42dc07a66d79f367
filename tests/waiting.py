"""Waiting for what happens beside a test."""

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds; a machine under load takes some of them."""


def wait_until(holds: Callable[[], bool]) -> None:
    """Return when it holds; fail when it does not in `PATIENCE`."""
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, "what the test waits for did not happen"
        time.sleep(0.05)
