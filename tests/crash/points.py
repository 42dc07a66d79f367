"""Points: where a fault is put in, and which."""

import errno
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.crash.control import FOR_LONG, Act, Calls, Fault
from tests.crash.power import Loss

DAY = 86_400.0
_FEW = 6
START, STOP, TOGETHER = "start", "stop", "together"


class Kind(StrEnum):
    """What is done to a registry."""

    KILL = "kill"
    POWER = "power cut"
    REFUSAL = "refused call"
    CLOCK = "clock jump"
    TOGETHER = "kill under concurrent work"


@dataclass(frozen=True)
class Point:
    """One fault in one place.

    Attributes:
        kind: of it.
        path: name of the write path; or START, STOP or TOGETHER.
        fault: which call, and what happens to it.
        loss: with the power: what becomes of what was not synced.
        clock: seconds that the clock jumps.
        seed: of whatever is left to chance.
    """

    kind: Kind
    path: str
    fault: Fault
    loss: Loss | None = None
    clock: float = 0.0
    seed: int = 0

    def __str__(self) -> str:
        more = [
            f"{self.fault.act.name} at {self.fault.at} of {self.fault.calls!r}" if self.fault.at else "",
            f"{errno.errorcode[self.fault.error]}" if self.fault.error else "",
            "for long" if self.fault.times > 1 else "",
            str(self.loss or ""),
            f"clock {self.clock:+.0f} s" if self.clock else "",
        ]
        return f"{self.kind}, {self.path}: {', '.join(text for text in more if text)}; seed {self.seed}"


@dataclass(frozen=True)
class Length:
    """How many calls a write path makes: of all kinds that change something, of writes alone, of syncs alone."""

    changes: int
    writes: int
    syncs: int = 1

    def of(self, calls: Calls) -> int:
        """How many of these kinds; a few where that was not counted."""
        if calls & Calls.NAME:
            return self.changes
        return {Calls.WRITE: self.writes, Calls.SYNC: self.syncs}.get(calls, _FEW)


REFUSALS = (
    (errno.ENOSPC, Calls.CREATE | Calls.WRITE | Calls.SYNC | Calls.NAME | Calls.SIZE),
    (errno.EIO, Calls.CHANGES),
    (errno.EIO, Calls.SYNC),
    (errno.EIO, Calls.READ),
    (errno.EMFILE, Calls.OPEN),
    (errno.EROFS, Calls.CREATE | Calls.WRITE | Calls.NAME | Calls.SIZE),
)
JUMPS = (DAY, 100 * DAY, -DAY, -100 * DAY, 2.5, -2.5)


def kills(lengths: dict[str, Length]) -> list[Point]:
    """Before and after every call of every path, and in the middle of every write."""
    found = []
    for path, length in lengths.items():
        for at, act in itertools.product(range(1, length.changes + 1), (Act.KILL_BEFORE, Act.KILL_AFTER)):
            found.append(Point(Kind.KILL, path, Fault(act, at)))
        found += [
            Point(Kind.KILL, path, Fault(Act.KILL_MIDDLE, at, calls=Calls.WRITE)) for at in range(1, length.writes + 1)
        ]
    return found


def power_cuts(lengths: dict[str, Length]) -> list[Point]:
    """At every call of every path, with each kind of loss."""
    return [
        Point(Kind.POWER, path, Fault(Act.KILL_AFTER, at), loss)
        for path, length in lengths.items()
        for at in range(1, length.changes + 1)
        for loss in Loss
    ]


def refusals(lengths: dict[str, Length]) -> list[Point]:
    """At every call of every path, once and for long."""
    found = []
    for path, length in lengths.items():
        if path == STOP:
            continue
        faults = [(Act.REFUSE, error, calls) for error, calls in REFUSALS] + [(Act.SHORT, 0, Calls.WRITE)]
        for (act, error, calls), times in itertools.product(faults, (1, FOR_LONG)):
            found += [
                Point(Kind.REFUSAL, path, Fault(act, at, times, calls, error)) for at in range(1, length.of(calls) + 1)
            ]
    return found


def jumps(lengths: dict[str, Length]) -> list[Point]:
    """Before every path."""
    paths = [path for path in lengths if path not in {START, STOP}]
    return [Point(Kind.CLOCK, path, Fault(), clock=jump) for path in paths for jump in JUMPS]


def together(_lengths: dict[str, Length]) -> list[Point]:
    """Anywhere while much is done at once; after some of the kills the power fails as well."""
    chance = random.Random(0)  # noqa: S311
    acts = (Act.KILL_BEFORE, Act.KILL_MIDDLE, Act.KILL_AFTER)
    return [
        Point(Kind.TOGETHER, TOGETHER, Fault(chance.choice(acts), at), chance.choice((None, None, *Loss)))
        for at in range(1, 120)
    ]


# Of twenty points so many are of each kind.
_MIX: tuple[tuple[Callable[[dict[str, Length]], list[Point]], int], ...] = (
    (kills, 8),
    (power_cuts, 5),
    (refusals, 4),
    (together, 2),
    (jumps, 1),
)


def points(lengths: dict[str, Length], seed: int) -> Iterator[Point]:
    """All points, mixed, and then all again, without an end; the same ones for the same seed."""
    streams = [(_endless(make(lengths), random.Random(f"{seed} {make.__name__}")), often) for make, often in _MIX]  # noqa: S311
    order = [stream for stream, often in streams for _ in range(often)]
    random.Random(seed).shuffle(order)  # noqa: S311
    for number in itertools.count():
        yield next(order[number % len(order)])


def _endless(found: Sequence[Point], chance: random.Random) -> Iterator[Point]:
    while True:
        for point in chance.sample(found, len(found)):
            yield Point(point.kind, point.path, point.fault, point.loss, point.clock, chance.randrange(1 << 30))
