"""Reading no faster than a rate, so that requests keep most of the disk."""

import threading
import time
from collections.abc import Callable

_LEAST_SLEEP = 0.05


class Stopped(Exception):
    """Whoever reads is to end."""


class Pace:
    """Called with the bytes of each piece that was read; takes as long as the rate asks for.

    Args:
        rate: bytes a second, asked anew each time; 0: as fast as it goes.
    """

    def __init__(self, rate: Callable[[], int]) -> None:
        self._rate = rate
        self._stop = threading.Event()
        self._free = 0.0

    def __call__(self, count: int) -> None:
        """Wait as long as `count` bytes are worth.

        Raises:
            Stopped: `stop` was called.
        """
        rate, now = self._rate(), time.monotonic()
        self._free = max(self._free, now) + (count / rate if rate else 0.0)
        wait = self._free - now
        if self._stop.wait(wait) if wait > _LEAST_SLEEP else self._stop.is_set():
            raise Stopped

    def stop(self) -> None:
        """Let the reader end at its next piece."""
        self._stop.set()
