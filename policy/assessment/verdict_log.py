"""Logs verdicts: one line for each new one, and for each change."""

from collections import Counter

import structlog

from policy.assessment.bulk_judging import Rejudged
from policy.assessment.verdict import Verdict
from policy.definition.policy import Policy
from policy.state import State
from registry.caches import SizedCache

_REMEMBERED = 10_000


class VerdictLog:
    """Remembers the states logged for the last 10,000 manifests, so that repeated checks add no line."""

    def __init__(self) -> None:
        self._logged: SizedCache[tuple[str, str], State] = SizedCache(_REMEMBERED)

    def log(self, repository: str, verdict: Verdict) -> None:
        """Log a verdict on a manifest of a repository."""
        key = verdict.policy_digest, verdict.digest
        if self._logged.get(key) is verdict.state:
            return
        self._logged.put(key, verdict.state)
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
