"""Refusals: counted by the access point and the rules that stand against an image, and the latest of them.

The latest are in memory, and gone with the process. A refusal changes nothing, so that it is no event; if it were
written down like one, whoever may only pull could have a registry write as fast as they can ask. The audit log has
each of them for good.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policy.decision import AccessPoint
from registry.auth.principals import Principal
from registry.gate import Decision
from registry.oci.names import RepositoryName

OTHER = "other"
KEPT = 200
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for what.

    Attributes:
        principal: who.
        repository: where it is.
        digest: of the manifest or blob.
        tag: by which it was asked for; "" without one.
    """

    principal: Principal
    repository: RepositoryName
    digest: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """What was refused to somebody, once or several times.

    Attributes:
        point: where.
        asked: the last time.
        state: the verdict, in one word.
        why: the first reason.
        times: how often.
        time: the last time, seconds since the epoch.
    """

    point: AccessPoint
    asked: Asked
    state: str
    why: str
    times: int
    time: float


class Refusals:
    """Counts refusals since the start, and keeps the latest.

    Args:
        kept: returns how many are kept.
        clock: seconds since the epoch.

    Attributes:
        counts: by access point and rule; a refusal with several rules counts once for each.
    """

    def __init__(self, kept: Callable[[], int] = lambda: KEPT, clock: Callable[[], float] = time.time) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._kept = kept
        self._clock = clock
        self._latest: OrderedDict[tuple[str, str, str, str], Refused] = OrderedDict()

    def noted(self, point: AccessPoint, decision: Decision, asked: Asked) -> Decision:
        """Count and keep a decision that refuses, and return it."""
        if not decision.allowed:
            for rule in _rules(decision):
                self.counts[point.value, rule] += 1
            self._keep(point, decision, asked)
        return decision

    def latest(self) -> list[Refused]:
        """What is kept, the latest first."""
        return list(reversed(self._latest.values()))

    def _keep(self, point: AccessPoint, decision: Decision, asked: Asked) -> None:
        """The same to the same principal again is no other: clients ask twice, and try again."""
        key = (point.value, asked.principal.id, asked.repository, asked.digest)
        before = self._latest.pop(key, None)
        if before is not None and not asked.tag:
            asked = replace(asked, tag=before.asked.tag)
        times = 1 if before is None else before.times + 1
        state = str(_detail(decision).get("verdict", OTHER))
        self._latest[key] = Refused(point, asked, state, _reason(decision), times, self._clock())
        while len(self._latest) > self._kept():
            self._latest.popitem(last=False)


def _detail(decision: Decision) -> Mapping[str, Any]:
    return decision.detail if isinstance(decision.detail, Mapping) else {}


def _rules(decision: Decision) -> list[str]:
    """The rules whose findings stand against it; without any, the verdict in one word."""
    detail = _detail(decision)
    rules = [str(finding["rule"]) for finding in detail.get("findings", ())]
    return list(dict.fromkeys(rules)) or [str(detail.get("verdict", OTHER))]


def _reason(decision: Decision) -> str:
    found = [str(finding["message"]) for finding in _detail(decision).get("findings", ())]
    text = found[0] if found else decision.message
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…") + more
