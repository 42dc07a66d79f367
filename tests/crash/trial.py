"""Putting faults into a live registry: after each it is started again, and asked for all that it has acknowledged."""

import errno
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.crash.acknowledged import Findings
from tests.crash.caller import SMALL, Caller
from tests.crash.control import Calls, Fault
from tests.crash.paths import PATHS, CommandKilled
from tests.crash.points import START, STOP, TOGETHER, Kind, Point
from tests.crash.site import NoStart, Site
from tests.crash.together import Together
from tests.crash.wire import CutOff, Silent

REPOSITORY = "crash/app"
_BY_NAME = {path.name: path for path in PATHS}
# What a registry says whose disk or database refuses.
_TRUTHFUL = {503, 507}
# What it says then of a request that relies on what was refused.
_CONSEQUENCES = {400, 404, 416}
_CANNOT_START = 2
# How often a path is gone again when it made fewer calls than usual.
_ROUNDS = 3


@dataclass
class Outcome:
    """What came of one point.

    Attributes:
        point: what was done.
        hit: whether its fault was put in: with faults at a call, whether there was such a call.
        found: what was seen.
    """

    point: Point
    hit: bool = False
    found: Findings = field(default_factory=Findings)


class Trial:
    """Points in one folder, one after the other. A site is given whose server does not run yet."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def run(self, points: Sequence[Point]) -> list[Outcome]:
        """Stops early where the registry does not start again."""
        outcomes: list[Outcome] = []
        self._start(points[0])
        for number, point in enumerate(points):
            outcomes.append(outcome := Outcome(point))
            self._site.found = outcome.found
            following = points[number + 1] if number + 1 < len(points) else None
            try:
                self._put(outcome)
                self._look(following)
            except NoStart as error:
                outcome.found.manual.append(str(error))
                return outcomes
            except (CutOff, Silent) as error:
                outcome.found.other.append(str(error))
        self._end()
        return outcomes

    def _put(self, outcome: Outcome) -> None:
        point, site = outcome.point, self._site
        if point.path == START:
            self._put_into_start(point)
        elif point.path == STOP:
            self._put_into_stop(point)
        elif point.path == TOGETHER:
            self._put_into_much(point)
        else:
            self._put_into_path(point)
        outcome.hit = self._is_put_in(point)
        site.control.arm(Fault())
        # After a full disk, and after an error of reading, it goes on within seconds: test_passing_refusals.py.
        passing = point.fault.error == errno.ENOSPC or point.fault.calls == Calls.READ
        if point.kind is Kind.REFUSAL and site.lives and not passing:
            self._goes_on("after the refusal")
        site.kill()
        if point.loss is not None:
            site.cut_power(point.loss, point.seed)

    def _look(self, following: Point | None) -> None:
        self._start(following)
        self._site.check()
        self._site.control.move_clock(0)
        if following is None:
            self._goes_on("after the start")

    def _start(self, following: Point | None) -> None:
        if following is not None and following.loss is not None:
            self._site.watch_disk()
        else:
            self._site.unwatch()
        self._site.start()

    def _put_into_start(self, point: Point) -> None:
        self._site.kill()
        if point.loss is not None:
            self._site.watch_disk()
        try:
            self._site.start(point.fault)
            caller = self._site.caller(REPOSITORY)
            for _ in range(_ROUNDS):
                if not self._is_put_in(point):
                    caller.image("started")
        except CutOff:
            return
        except NoStart as error:
            # A start that is refused says so with 2; the next one, without the fault, has to succeed.
            if point.kind is not Kind.REFUSAL or error.code != _CANNOT_START:
                raise

    def _put_into_stop(self, point: Point) -> None:
        caller = self._site.caller(REPOSITORY)
        caller.image("last")
        self._site.control.arm(point.fault)
        code = self._site.stop()
        if code not in {0, -signal.SIGKILL}:
            self._site.found.other.append(f"SIGTERM: the server ended with {code}: {self._site.words[-300:]}")

    def _put_into_much(self, point: Point) -> None:
        self._site.control.arm(point.fault)
        for number in range(_ROUNDS):
            work = Together(self._site, point.seed + number)
            work.run()
            self._site.found.other += work.refusals
            if self._is_put_in(point):
                return

    def _put_into_path(self, point: Point) -> None:
        caller = self._site.caller(REPOSITORY)
        path = _BY_NAME[point.path]
        prepared = path.prepare(self._site, caller)
        self._judge(caller, set(), "before the fault, ")
        self._site.control.arm(point.fault)
        self._site.control.move_clock(point.clock)
        try:
            path.act(self._site, caller, prepared)
            for _ in range(_ROUNDS):
                if self._is_put_in(point):
                    break
                path.act(self._site, caller, path.prepare(self._site, caller))
        except (CutOff, CommandKilled) as error:
            if point.kind in {Kind.REFUSAL, Kind.CLOCK}:
                self._site.found.manual.append(f"a process has ended: {error} {self._site.words[-300:]}")
        if point.kind is Kind.CLOCK and point.seed % 2:
            self._site.control.move_clock(0)  # it jumps back; otherwise it stays there until after the next start
        self._judge(caller, _TRUTHFUL if point.kind is Kind.REFUSAL else set())

    def _is_put_in(self, point: Point) -> bool:
        return point.kind is Kind.CLOCK or self._site.control.hit > 0

    def _judge(self, caller: Caller, truthful: set[int], when: str = "") -> None:
        """Write down answers that nobody should get."""
        for method, path, answer in caller.refusals:
            if answer.status not in truthful:
                told = f"{when}{method} {path.partition('?')[0]}: {answer.status} {answer.body[:200]!r}"
                self._site.found.other.append(told)
            elif truthful:
                truthful = truthful | _CONSEQUENCES
        caller.refusals.clear()

    def _goes_on(self, when: str) -> None:
        caller = self._site.caller(REPOSITORY)
        caller.blob(caller.content(SMALL))
        if caller.refusals:
            told = [answer.body[:200] for _, _, answer in caller.refusals]
            self._site.found.manual.append(f"takes no push {when}: {told}")

    def _end(self) -> None:
        """Stop it in an orderly way, and compare rows and files."""
        code = self._site.stop()
        if code:
            self._site.found.other.append(f"SIGTERM: the server ended with {code}: {self._site.words[-300:]}")
        if self._site.run("verify", "--digests"):
            self._site.found.manual.append(f"verify: {self._site.said[-600:]}")
