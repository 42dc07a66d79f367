"""Values that end after a time, by codes that nobody can guess."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Expiring(Generic[T]):
    """Values by a code that nobody can guess, forgotten after a time, the oldest first when there are too many.

    Args:
        entries: how many are held.
        seconds: how long.
        clock: seconds, rising.
    """

    def __init__(self, entries: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries = entries
        self._seconds = seconds
        self._clock = clock
        self._held: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def __len__(self) -> int:
        """How many there are that have not ended."""
        self._forget()
        return len(self._held)

    def put(self, code: str, value: T) -> None:
        """Hold a value from now on."""
        self._held[code] = (self._clock() + self._seconds, value)
        self._forget()

    def get(self, code: str) -> T | None:
        """The value of a code that has not ended."""
        self._forget()
        found = self._held.get(code)
        return None if found is None else found[1]

    def values(self) -> list[T]:
        """All that have not ended, the oldest first."""
        self._forget()
        return [value for _, value in self._held.values()]

    def take(self, code: str) -> T | None:
        """The same, and never again."""
        self._forget()
        found = self._held.pop(code, None)
        return None if found is None else found[1]

    def _forget(self) -> None:
        now = self._clock()
        while self._held:
            oldest = next(iter(self._held))
            if len(self._held) <= self._entries and self._held[oldest][0] > now:
                return
            del self._held[oldest]
