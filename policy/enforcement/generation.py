"""The gate's generation: a number that changes whenever an earlier decision may no longer be valid."""

import time
from collections.abc import Callable

from policy.enforcement.operator_file import OperatorFileInForce
from policy.results.counters import FORGOTTEN, counted
from policy.results.store import ResultStore

_LOOK_AGAIN = 0.25


class Generation:
    """Counts new verdicts, changes of the operator file, expired exemptions, and requests to inspect again."""

    def __init__(self, orders: OperatorFileInForce, results: ResultStore, clock: Callable[[], float]) -> None:
        """`clock`: seconds since the epoch, for the expiry of exemptions."""
        self._orders = orders
        self._results = results
        self._clock = clock
        self._value = 0
        self._turns = 0
        self._seen: tuple[int, int] = (0, 0)
        self._forgotten = results.read(counted, FORGOTTEN)
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
        """Whether another process has asked since the last call to inspect again."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + _LOOK_AGAIN
        forgotten = self._results.read(counted, FORGOTTEN)
        if forgotten == self._forgotten:
            return False
        self._forgotten = forgotten
        self.turn()
        return True

    def value(self) -> int:
        """The number."""
        orders = self._orders.current()
        now = self._clock()
        ended = sum(1 for item in orders.exemptions if item.expires <= now)
        if (self._orders.changes, ended) != self._seen:
            self._seen = (self._orders.changes, ended)
            self.turn()
        return self._value
