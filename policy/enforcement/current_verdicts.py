"""Current verdicts: the judge's, corrected for content that is missing now."""

import math
from collections.abc import Sequence

from policy.assessment.judge import Judge
from policy.assessment.verdict import Verdict, without_content
from policy.enforcement.access_request import AccessRequest
from policy.enforcement.content_presence import Presence
from policy.enforcement.partial_indexes import PartialIndexes
from policy.enforcement.policies_in_force import PoliciesInForce
from policy.state import State
from registry.oci.manifest import Manifest

_OPEN = frozenset({State.CLEARED, State.NOT_APPLICABLE})
_JUDGED = frozenset({State.CLEARED, State.REFUSED})


class CurrentVerdicts:
    """Judges on demand; waits as long as the settings say."""

    def __init__(self, judge: Judge, presence: Presence, partial: PartialIndexes, policies: PoliciesInForce) -> None:
        self._judge = judge
        self._presence = presence
        self._partial = partial
        self._policies = policies

    async def open_state(self, request: AccessRequest) -> State | None:
        """The state, if it is known that everybody who may pull gets the manifest without a warning."""
        policy = request.bound.policy
        state = None if policy.is_soft else self._judge.known_state(request.digest, policy)
        if state not in _OPEN:
            return None
        if state is State.CLEARED and await self._presence.gone(request.repository, request.digest, policy):
            return None
        return state

    async def known_state(self, request: AccessRequest, *, remember: bool = True) -> State | None:
        """The state, if it was judged before; `inconclusive` for an index without its members.

        `remember`: in memory; a walk over everything would fill it with what nobody asks for.
        """
        policy = request.bound.policy
        state = self._judge.known_state(request.digest, policy, remember=remember)
        if state in _JUDGED and await self._presence.gone(
            request.repository, request.digest, policy, remember=remember
        ):
            return State.INCONCLUSIVE
        return state

    async def verdict(
        self, request: AccessRequest, manifest: Manifest | None = None, wait: float | None = None
    ) -> Verdict | None:
        """The verdict, inconclusive for an index without its members; `None` while it is pending.

        Args:
            request: names the manifest.
            manifest: the manifest when it is being pushed.
            wait: seconds; overrides the setting.
        """
        verdict = await self._judged(request, manifest, wait)
        if verdict is not None and await self._partial.is_partial(request, verdict):
            return await self._partial.verdict(request, verdict, self._wait(wait))
        if verdict is None or verdict.state not in _JUDGED:
            return verdict
        gone = await self._presence.gone(request.repository, request.digest, request.bound.policy)
        return without_content(verdict, tuple(gone.values()), gone) if gone else verdict

    async def with_content(self, request: AccessRequest, at_most: float = math.inf) -> tuple[Verdict | None, bool]:
        """The verdict, and whether any of its content is missing; all of it is checked on each call.

        `at_most`: seconds to wait, if the setting allows more.
        """
        repository, digest, policy = request.repository, request.digest, request.bound.policy
        verdict = await self._judged(request, wait=min(at_most, self._policies.settings.wait_seconds))
        if verdict is None or verdict.state is State.NOT_APPLICABLE:
            return verdict, False
        gone = await self._presence.gone(repository, digest, policy)
        missing: Sequence[str] = tuple(gone.values())
        if not gone and verdict.state in _JUDGED:
            missing = await self._presence.missing(repository, digest, policy)
        return (without_content(verdict, missing, gone), True) if missing else (verdict, False)

    async def _judged(
        self, request: AccessRequest, manifest: Manifest | None = None, wait: float | None = None
    ) -> Verdict | None:
        policy = request.bound.policy
        return await self._judge.verdict(request.repository, request.digest, policy, self._wait(wait), manifest)

    def _wait(self, wait: float | None) -> float:
        return self._policies.settings.wait_seconds if wait is None else wait
