"""The gate's generation: a number that changes whenever an earlier decision may no longer be valid."""

import math
import time
from collections.abc import Callable, Sequence

from policy.enforcement.exemptions import Exemption
from policy.enforcement.operator_store import OperatorStore
from policy.results.store import ResultStore

_LOOK_AGAIN = 0.25


class Generation:
    """Counts new verdicts, changes of the operator file, expired exemptions, and requests to inspect again."""

    def __init__(self, orders: OperatorStore, results: ResultStore, clock: Callable[[], float]) -> None:
        """`clock`: seconds since the epoch, for the expiry of exemptions."""
        self._orders = orders
        self._results = results
        self._clock = clock
        self._value = 0
        self._turns = 0
        self._seen: tuple[int, int] = (0, 0)
        self._counted_at = -1
        self._holds: tuple[float, float] = (math.inf, -math.inf)
        self._results_seen = results.generation()
        self._next_look = 0.0

    def bump(self) -> None:
        """Count a change."""
        self._value += 1

    def turn(self) -> None:
        """Count a change that may turn the verdicts of many manifests."""
        self._turns += 1
        self.bump()

    def turns(self) -> int:
        """A number that changes with these; not with the inspection of something new."""
        self.value()
        return self._turns

    def look_again(self) -> bool:
        """Whether what is remembered of results does not count any more, since the last call."""
        if time.monotonic() < self._next_look:
            return False
        found = self._results.generation()  # what this raises, it raises again for whoever asks next
        self._next_look = time.monotonic() + _LOOK_AGAIN
        if found == self._results_seen:
            return False
        self._results_seen = found
        self.turn()
        return True

    def value(self) -> int:
        """The number."""
        # Asked for with every request: exemptions are counted only when one has ended, or the file was changed.
        orders, now = self._orders.current(), self._clock()
        if self._orders.changes != self._counted_at or not self._holds[0] <= now < self._holds[1]:
            self._count(orders.exemptions, now)
        return self._value

    def _count(self, exemptions: Sequence[Exemption], now: float) -> None:
        ends = [item.expires for item in exemptions]
        ended = [end for end in ends if end <= now]
        self._counted_at = self._orders.changes
        self._holds = max(ended, default=-math.inf), min((end for end in ends if end > now), default=math.inf)
        if (self._orders.changes, len(ended)) != self._seen:
            self._seen = (self._orders.changes, len(ended))
            self.turn()
