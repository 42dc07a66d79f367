"""Limits the rate of reading, so that requests keep most of the disk."""

import threading
import time
from collections.abc import Callable

_LEAST_SLEEP = 0.05


class Stopped(Exception):
    """Reading must stop."""


class Pace:
    """Called with the size of each piece read; waits to keep the rate.

    Args:
        rate: returns bytes a second, called each time; 0: no limit.
    """

    def __init__(self, rate: Callable[[], int]) -> None:
        self._rate = rate
        self._stop = threading.Event()
        self._free = 0.0

    def __call__(self, count: int) -> None:
        """Wait for the time of `count` bytes.

        Raises:
            Stopped: `stop` was called.
        """
        rate, now = self._rate(), time.monotonic()
        self._free = max(self._free, now) + (count / rate if rate else 0.0)
        wait = self._free - now
        if self._stop.wait(wait) if wait > _LEAST_SLEEP else self._stop.is_set():
            raise Stopped

    def stop(self) -> None:
        """Stop the reader at its next piece."""
        self._stop.set()
