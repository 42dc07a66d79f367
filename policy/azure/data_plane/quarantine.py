"""The policy's verdict in the form of ACR's quarantine: `quarantineState`, and `quarantineDetails` in its schema.

The schema of the details has the members `scanner`, `state`, `link` and `result` (`version`, `summary` of at most five
severities, `description` of at most 1024 characters), and no others.
"""

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from policy.assessment.verdict import Verdict
from policy.azure.data_plane.changes import Change
from policy.enforcement.exemptions import Exemption
from policy.enforcement.operator_file import OperatorFile
from policy.rules.findings import Result
from policy.rules.text_limits import elided
from policy.state import State
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.auth.sign_in import roles_that_may
from registry.config.group import DAY
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest, Denied, Unsupported
from registry.oci.names import RepositoryName

SCANNER = "basegate"
DESCRIPTION_LIMIT = 1024
QUARANTINED, PASSED, FAILED = "Quarantined", "Passed", "Failed"
_STATES = {State.CLEARED: PASSED, State.REFUSED: FAILED, State.INCONCLUSIVE: FAILED}
_REASON = "released from quarantine"
_DETAILS_LIMIT = 300
_WORDS = {PASSED: "scan passed", FAILED: "scan failed", QUARANTINED: "scan pending"}
_SEVERITIES = {Result.FAIL: "High", Result.ERROR: "Medium", Result.WARN: "Low"}


class Verdicts(Protocol):
    """Tells verdicts without waiting for any."""

    async def verdict_now(self, repository: RepositoryName, digest: Digest) -> tuple[Verdict | None, tuple[str, ...]]:
        """The verdict, `None` while it is pending; and the words of the exemptions that let the manifest through."""
        ...

    def change_orders(self, change: Callable[[OperatorFile], OperatorFile]) -> None:
        """Change the standing orders, from now on; for a thread."""
        ...


class Quarantine:
    """Tells what the policy says of manifests, and has a person's word count where the policy lets it.

    Args:
        verdicts: the policy's.
        days: says how long somebody's word counts.
        clock: seconds since the epoch.
    """

    def __init__(self, verdicts: Verdicts, days: Callable[[], int], clock: Callable[[], float] = time.time) -> None:
        self._verdicts = verdicts
        self._days = days
        self._clock = clock

    async def change(self, principal: Principal, repository: RepositoryName, digest: Digest, change: Change) -> None:
        """Let a refused image pass, or end that. `Passed` makes an exemption of every rule, `Failed` ends it.

        Raises:
            Denied: the principal may not change quarantine states here.
            BadRequest: no such state.
            Unsupported: the state does not follow from the verdict: what could not be judged is let through by nobody,
                and what the policy has cleared is not in quarantine.
        """
        if not principal.may(Action.QUARANTINE_WRITE, repository):
            raise Denied(
                f"principal {principal.name} may not change quarantine states in {repository}: needs role "
                f"{roles_that_may(Action.QUARANTINE_WRITE)}"
            )
        if change.state not in {PASSED, FAILED}:
            raise BadRequest(f"quarantineState is {change.state[:32]!r}: needs {PASSED} or {FAILED}")
        verdict, excused = await self._verdicts.verdict_now(repository, digest)
        state = None if verdict is None else verdict.state
        if change.state == PASSED and state is not State.CLEARED and not excused:
            if state is not State.REFUSED:
                raise Unsupported(
                    f"{digest} was not judged (it is {state or State.PENDING}): nobody can let it through"
                )
            await self._order(partial(_with, self._exemption(principal, repository, digest, change.details)))
        elif change.state == FAILED:
            if state is State.CLEARED:
                raise Unsupported(f"the policy has cleared {digest}: lock it with readEnabled false to withhold it")
            await self._order(partial(_without, repository, digest))

    async def _order(self, change: Callable[[OperatorFile], OperatorFile]) -> None:
        await asyncio.to_thread(self._verdicts.change_orders, change)

    def _exemption(self, principal: Principal, repository: RepositoryName, digest: Digest, details: str) -> Exemption:
        reason = _REASON + (f": {elided(details, _DETAILS_LIMIT)}" if details else "")
        expires = self._clock() + self._days() * DAY
        owner = principal.name or principal.id
        return Exemption(secrets.token_hex(4), repository, digest, "*", owner, reason, expires)

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


def _with(made: Exemption, orders: OperatorFile) -> OperatorFile:
    return orders.with_exemption(made)


def _without(repository: str, digest: str, orders: OperatorFile) -> OperatorFile:
    """Without what was ordered here; exemptions by command stay."""
    kept = [
        item
        for item in orders.exemptions
        if not (item.repositories == repository and item.digest == digest and item.reason.startswith(_REASON))
    ]
    return replace(orders, exemptions=tuple(kept))


def _result(verdict: Verdict, excused: tuple[str, ...]) -> dict[str, Any]:
    counted = Counter(_SEVERITIES[item.result] for item in verdict.findings if item.result in _SEVERITIES)
    summary = [{"severity": word, "count": counted[word]} for word in _SEVERITIES.values() if counted[word]]
    said = " ".join(excused or verdict.reasons) or f"cleared by policy {verdict.policy_name}"
    return {
        "version": verdict.policy_name,
        "summary": summary or [{"severity": "None", "count": 0}],
        "description": elided(said, DESCRIPTION_LIMIT),
    }
