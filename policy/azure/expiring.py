"""Values that end after a time, by codes that nobody can guess."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from registry.oci.errors import TooManyRequests

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Held(Generic[T]):
    value: T
    end: float
    owner: str


class Expiring(Generic[T]):
    """Values by a code that nobody can guess, forgotten after a time.

    Nobody pushes out the last one of somebody else: an owner who has its share loses its own oldest; when all
    together are too many, whoever has the most does; and when nobody has more than one, another one is refused.

    Args:
        entries: how many are held.
        seconds: how long.
        clock: seconds, rising.
        share: how many of one owner are held; by default a quarter of all.
    """

    def __init__(
        self, entries: int, seconds: float, clock: Callable[[], float] = time.monotonic, share: int = 0
    ) -> None:
        self._entries = entries
        self._share = share or max(1, entries // 4)
        self._seconds = seconds
        self._clock = clock
        self._held: OrderedDict[str, _Held[T]] = OrderedDict()
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many there are that have not ended."""
        self._forget()
        return len(self._held)

    def put(self, code: str, value: T, owner: str = "") -> None:
        """Hold a value from now on; `owner` is who asked, by name or address.

        Raises:
            TooManyRequests: there are too many, each of somebody else.
        """
        self._remove(code)
        self._forget()
        self._make_room(owner)
        self._held[code] = _Held(value, self._clock() + self._seconds, owner)
        self._of[owner] += 1

    def get(self, code: str) -> T | None:
        """The value of a code that has not ended."""
        self._forget()
        found = self._held.get(code)
        return None if found is None else found.value

    def values(self) -> list[T]:
        """All that have not ended, the oldest first."""
        self._forget()
        return [held.value for held in self._held.values()]

    def take(self, code: str) -> T | None:
        """The same, and never again."""
        self._forget()
        return self._remove(code)

    def _forget(self) -> None:
        now = self._clock()
        while self._held and self._held[oldest := next(iter(self._held))].end <= now:
            self._remove(oldest)

    def _make_room(self, owner: str) -> None:
        if self._of[owner] >= self._share:
            self._remove_oldest(owner)
        elif len(self._held) >= self._entries:
            most, count = self._of.most_common(1)[0]
            if count < 2:
                raise TooManyRequests(
                    f"{len(self._held)} of these are under way, each of another caller: try again later"
                )
            self._remove_oldest(most)

    def _remove_oldest(self, owner: str) -> None:
        self._remove(next(code for code, held in self._held.items() if held.owner == owner))

    def _remove(self, code: str) -> T | None:
        found = self._held.pop(code, None)
        if found is None:
            return None
        self._of[found.owner] -= 1
        if not self._of[found.owner]:
            del self._of[found.owner]
        return found.value
