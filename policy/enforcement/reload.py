"""Reload of the judging settings: everything is judged first, then the gate switches at once."""

import asyncio
from functools import partial

import structlog

from policy.assessment.bulk_judging import judge_all
from policy.assessment.settings import JudgingSettings
from policy.assessment.verdict_log import log_judged
from policy.definition.policy import PolicyRefused
from policy.enforcement.assignments import AssignmentsInForce, log_policies
from policy.enforcement.gate import PolicyGate
from registry.config.reload import Turn
from registry.config.sources import SettingsError

_AGAIN_SECONDS = 5.0


class PolicyReload:
    """Makes a gate follow the settings, and judges manifests without a verdict."""

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate
        self._turned = asyncio.Event()

    async def catch_up(self) -> None:
        """At the start and after every change, judge stored manifests without a verdict. Runs until cancelled."""
        while True:
            self._turned.clear()
            try:
                await self._gate.catch_up()
            except Exception as error:  # noqa: BLE001  a database that is away must not end the rounds
                structlog.get_logger(__name__).warning(
                    "what has no verdict could not be looked for, it will be tried again", reason=str(error)
                )
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            await self._turned.wait()

    async def prepare(self, wanted: JudgingSettings) -> Turn | None:
        """Judge everything stored by the policies of the new settings.

        The policy folder is read again for changed files. The old verdicts are valid until the switch: states are
        stored by policy digest.

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
            # All policies, also those in force: removing a pattern widens another's reach.
            for policy in bindings.current().policies:
                log_judged(policy, judge_all(self._gate.results, policy))
        return bindings

    def _turn(self, settings: JudgingSettings, bindings: AssignmentsInForce) -> None:
        self._gate.use(settings, bindings)
        self._turned.set()
        log_policies(bindings.current())
