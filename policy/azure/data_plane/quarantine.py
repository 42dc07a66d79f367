"""The policy's verdict in the form of ACR's quarantine: `quarantineState`, and `quarantineDetails` in its schema.

The schema of the details has the members `scanner`, `state`, `link` and `result` (`version`, `summary` of at most five
severities, `description` of at most 1024 characters), and no others.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from policy.assessment.verdict import Verdict
from policy.rules.findings import Result
from policy.rules.text_limits import elided
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

SCANNER = "basegate"
DESCRIPTION_LIMIT = 1024
QUARANTINED, PASSED, FAILED = "Quarantined", "Passed", "Failed"
_STATES = {State.CLEARED: PASSED, State.REFUSED: FAILED, State.INCONCLUSIVE: FAILED}
_WORDS = {PASSED: "scan passed", FAILED: "scan failed", QUARANTINED: "scan pending"}
_SEVERITIES = {Result.FAIL: "High", Result.ERROR: "Medium", Result.WARN: "Low"}


class Verdicts(Protocol):
    """Tells verdicts without waiting for any."""

    async def verdict_now(self, repository: RepositoryName, digest: Digest) -> tuple[Verdict | None, tuple[str, ...]]:
        """The verdict, `None` while it is pending; and the words of the exemptions that let the manifest through."""
        ...


class Quarantine:
    """Tells what the policy says of manifests."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts

    async def of(self, repository: RepositoryName, digest: Digest, origin: str) -> Mapping[str, str]:
        """`quarantineState` and `quarantineDetails`; nothing for what is not judged. `origin` begins the link."""
        verdict, excused = await self._verdicts.verdict_now(repository, digest)
        if verdict is not None and verdict.state is State.NOT_APPLICABLE:
            return {}
        link = f"{origin}/policy/v1/repositories/{repository}/manifests/{digest}/verdict"
        state = QUARANTINED if verdict is None else PASSED if excused else _STATES[verdict.state]
        details = {"scanner": SCANNER, "state": _WORDS[state], "link": link}
        result = {} if verdict is None else {"result": _result(verdict, excused)}
        return {"quarantineState": state, "quarantineDetails": json.dumps(details | result, separators=(",", ":"))}


def _result(verdict: Verdict, excused: tuple[str, ...]) -> dict[str, Any]:
    counted = Counter(_SEVERITIES[item.result] for item in verdict.findings if item.result in _SEVERITIES)
    summary = [{"severity": word, "count": counted[word]} for word in _SEVERITIES.values() if counted[word]]
    said = " ".join(excused or verdict.reasons) or f"cleared by policy {verdict.policy_name}"
    return {
        "version": verdict.policy_name,
        "summary": summary or [{"severity": "None", "count": 0}],
        "description": elided(said, DESCRIPTION_LIMIT),
    }
