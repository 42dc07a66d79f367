"""What clients did to one register and were told, and whether one order of it all explains that.

A register whose values are written once each is linearizable exactly when the order in which it took them fits the
times of all operations: whatever has ended before another begins counts before it (Herlihy and Wing, 1990).
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Operation:
    """One write or read.

    Attributes:
        value: what was written, or read; "" for a register that was never written.
        began: by one clock for all, before it was sent.
        ended: when its answer was there.
    """

    value: str
    began: float
    ended: float
    is_write: bool = False


def timed(value: Callable[[], str], *, is_write: bool = False) -> Operation:
    """An operation that is made now."""
    began = time.monotonic()
    return Operation(value(), began, time.monotonic(), is_write)


def contradictions(operations: Sequence[Operation], order: Sequence[str]) -> list[Operation]:
    """Those that saw, or wrote, less than what had ended before they began; `order`: the values as they were taken."""
    place = {value: number for number, value in enumerate(("", *order))}
    ends = sorted(operations, key=lambda each: each.ended)
    times = [each.ended for each in ends]
    newest = [-1, *accumulate((place[each.value] for each in ends), max)]
    return [each for each in operations if place[each.value] < newest[bisect_left(times, each.began)] + each.is_write]
