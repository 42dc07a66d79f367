"""Logs and counts verdicts: each new one, and each change."""

import time
from collections import Counter
from collections.abc import Callable

import structlog
from prometheus_client import Histogram

from policy.assessment.bulk_judging import Rejudged
from policy.assessment.verdict import Verdict
from policy.definition.policy import Policy
from policy.state import State
from registry.caches import SizedCache

_REMEMBERED = 10_000


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

Counted = tuple[str, str, str]
"""Verdict, policy and mode, as labels."""


class VerdictLog:
    """Remembers the states logged for the last 10,000 manifests, so that repeated checks add no line.

    Attributes:
        counts: verdicts by `Counted`.
        lag: seconds from the push of a manifest until its first verdict.
    """

    def __init__(self, mode_of: Callable[[str], str]) -> None:
        """`mode_of`: the mode of a repository."""
        self.counts: Counter[Counted] = Counter()
        self.lag = Histogram(
            "basegate_verdict_lag_seconds", "From a push until its verdict.", buckets=_SECONDS, registry=None
        )
        self._mode_of = mode_of
        self._logged: SizedCache[tuple[str, str], State] = SizedCache(_REMEMBERED)
        self._pushed: SizedCache[str, float] = SizedCache(_REMEMBERED)

    def pushed(self, digest: str) -> None:
        """Note that a manifest is pushed now."""
        self._pushed.put(digest, time.monotonic())

    def log(self, repository: str, verdict: Verdict) -> None:
        """Log a verdict on a manifest of a repository."""
        pushed = self._pushed.get(verdict.digest)
        if pushed is not None:
            self._pushed.pop(verdict.digest)
            self.lag.observe(time.monotonic() - pushed)
        key = verdict.policy_digest, verdict.digest
        if self._logged.get(key) is verdict.state:
            return
        self._logged.put(key, verdict.state)
        self.counts[verdict.state.value, verdict.policy_name, self._mode_of(repository)] += 1
        reason = {"reason": verdict.reasons[0]} if verdict.reasons else {}
        structlog.get_logger(__name__).info(
            "verdict",
            repository=str(repository),
            digest=verdict.digest,
            verdict=verdict.state.value,
            policy=verdict.policy_name,
            **reason,
        )


def log_judged(policy: Policy, judged: Rejudged) -> None:
    """Log the result of bulk judging: one line with the number in each state."""
    counts = Counter(state.value for state in judged.states.values())
    structlog.get_logger(__name__).warning("verdicts on all that is stored", policy=policy.name, **counts)
