"""Decisions at an access point, from verdicts: exemptions, subjects of referrers, and messages."""

from collections.abc import Callable
from dataclasses import replace

from policy.assessment.verdict import Verdict
from policy.decision import AccessPoint, Outcome, Question, decide
from policy.definition.policy import Policy
from policy.enforcement.access_request import AccessRequest
from policy.enforcement.current_verdicts import CurrentVerdicts
from policy.enforcement.denial import named, refusal, refusal_detail
from policy.enforcement.exemptions import exempted
from policy.enforcement.operator_store import OperatorStore
from policy.enforcement.referrers import Referrals
from policy.rules.text_limits import REFUSAL_LIMIT, elided_bytes
from policy.state import State
from registry.gate import ALLOWED, Decision
from registry.oci.digest import Digest


class AccessDecisions:
    """Makes decisions with `policy.decision.decide`."""

    def __init__(
        self,
        verdicts: CurrentVerdicts,
        referrals: Referrals,
        orders: OperatorStore,
        clock: Callable[[], float],
    ) -> None:
        """`clock`: seconds since the epoch, for the expiry of exemptions."""
        self._verdicts = verdicts
        self._referrals = referrals
        self._orders = orders
        self._clock = clock

    async def own(self, request: AccessRequest) -> tuple[State, Decision]:
        """The state and decision for a manifest itself, for a caller that only pulls."""
        open_state = await self._verdicts.open_state(request)
        if open_state is not None:
            return open_state, ALLOWED
        verdict = await self._verdicts.verdict(request)
        state = state_of(verdict)
        return state, self.decide(request.question(state), request, verdict)

    async def whole(self, request: AccessRequest) -> tuple[State, Decision]:
        """The same, with its subject taken into account."""
        state, decision = await self.own(request)
        if decision.allowed:
            decision = await self.with_subject(request.question(state), request, decision)
        return state, decision

    def decide(self, question: Question, request: AccessRequest, verdict: Verdict | None) -> Decision:
        """The decision on a manifest itself, with its message."""
        policy = request.bound.policy
        excused = self.excused(request, verdict)
        outcome = decide(replace(question, exempt=bool(excused)))
        soft = () if verdict is None else _warnings(question.access_point, verdict, policy)
        if outcome is Outcome.ALLOW:
            return Decision(True, warnings=soft)
        message = refusal(request.name, policy, verdict)
        if outcome is Outcome.DENY:
            return Decision(False, message, refusal_detail(request.repository, request.digest, policy, verdict))
        return Decision(True, warnings=(*(excused or (message,)), *soft))

    async def with_subject(self, question: Question, request: AccessRequest, decision: Decision) -> Decision:
        """The decision on a manifest that is allowed itself: a withheld subject withholds it."""
        if not request.bound.mode.withholds:
            return decision

        async def own(subject: Digest) -> Decision:
            return (await self.own(request.of_subject(subject)))[1]

        withheld = await self._referrals.withheld(request.repository, request.digest, own)
        if withheld is None or decide(replace(question, refers_to_withheld=True)) is not Outcome.DENY:
            return decision
        subject, why = withheld
        message = f"{request.name} refers to {named(request.repository, subject)}, which is withheld: {why.message}"
        return Decision(False, elided_bytes(message, REFUSAL_LIMIT), why.detail)

    def excused(self, request: AccessRequest, verdict: Verdict | None) -> tuple[str, ...]:
        """The messages of the exemptions that cover every failed finding; empty when one is not covered."""
        exemptions = self._orders.current().exemptions
        if verdict is None or verdict.state is not State.REFUSED or not exemptions:
            return ()
        return exempted(exemptions, request.repository, request.digest, verdict.findings, self._clock())


def state_of(verdict: Verdict | None) -> State:
    """The state of a verdict that may be pending."""
    return State.PENDING if verdict is None else verdict.state


def _warnings(access_point: AccessPoint, verdict: Verdict, policy: Policy) -> tuple[str, ...]:
    """The warnings at an access point.

    A push and a check get all warnings. A pull gets those of soft rules only: a manifest that is known to be cleared is
    served without its verdict, and must not warn one time and not another.
    """
    return (
        verdict.warnings
        if access_point in {AccessPoint.PUSH, AccessPoint.REFERENCE}
        else verdict.warnings_of(policy.soft_rules)
    )
