"""A change of the judging settings under a running server: everything is judged first, then the gate turns at once."""

import asyncio
from functools import partial

from policy.assessment.bulk_judging import judge_all
from policy.assessment.settings import JudgingSettings
from policy.assessment.verdict_log import log_judged
from policy.definition.policy import PolicyRefused
from policy.enforcement.assignments import AssignmentsInForce, log_policies
from policy.enforcement.gate import PolicyGate
from registry.config.reload import Turn
from registry.config.sources import SettingsError


class PolicyReload:
    """Lets a gate follow the settings, and judges what has no verdict yet."""

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate
        self._turned = asyncio.Event()

    async def catch_up(self) -> None:
        """At the start and after every change: judge what is stored and has no verdict yet. Ends when cancelled."""
        while True:
            self._turned.clear()
            await self._gate.catch_up()
            await self._turned.wait()

    async def prepare(self, wanted: JudgingSettings) -> Turn | None:
        """Follow the settings: judge what is stored by the policies that are about to count.

        The policy folder is read again, so that a file that was changed in it counts as well. The old verdicts stand
        until the turn: states are kept by the policies' digests.

        Raises:
            SettingsError: a policy is not known or cannot be used.
        """
        try:
            bindings = await asyncio.to_thread(self._judged, wanted)
        except PolicyRefused as error:
            raise SettingsError(str(error)) from None
        if wanted == self._gate.settings and bindings.current().digests == self._gate.bindings.current().digests:
            return None
        return partial(self._turn, wanted, bindings)

    def _judged(self, settings: JudgingSettings) -> AssignmentsInForce:
        bindings = self._gate.policies.tried(settings)
        if bindings.current().digests != self._gate.bindings.current().digests:
            # All of them, also those that count already: a pattern that is gone widens the reach of another.
            for policy in bindings.current().policies:
                log_judged(policy, judge_all(self._gate.results, policy))
        return bindings

    def _turn(self, settings: JudgingSettings, bindings: AssignmentsInForce) -> None:
        self._gate.turn(settings, bindings)
        self._turned.set()
        log_policies(bindings.current())
