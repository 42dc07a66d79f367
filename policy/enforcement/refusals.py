"""Refusals, counted by the access point and the rules that stand against an image."""

from collections import Counter
from collections.abc import Mapping

from policy.decision import AccessPoint
from registry.gate import Decision

OTHER = "other"


class Refusals:
    """Counts refusals since the start.

    Attributes:
        counts: by access point and rule; a refusal with several rules counts once for each.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def noted(self, point: AccessPoint, decision: Decision) -> Decision:
        """Count a decision that refuses, and return it."""
        if not decision.allowed:
            for rule in _rules(decision):
                self.counts[point.value, rule] += 1
        return decision


def _rules(decision: Decision) -> list[str]:
    """The rules whose findings stand against it; without any, the verdict in one word."""
    detail = decision.detail if isinstance(decision.detail, Mapping) else {}
    rules = [str(finding["rule"]) for finding in detail.get("findings", ())]
    return list(dict.fromkeys(rules)) or [str(detail.get("verdict", OTHER))]
