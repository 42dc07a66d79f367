"""Enforcement as an extension of the registry: its gate and its background tasks."""

from collections.abc import Callable
from functools import partial

from policy.assessment.settings import JudgingSettings
from policy.enforcement.cleaning import Cleaning
from policy.enforcement.copied_operator_file import CopiedOperatorFile
from policy.enforcement.gate import PolicyGate
from policy.enforcement.marks import marks_of
from policy.enforcement.metrics import EnforcementMetrics
from policy.enforcement.reload import PolicyReload
from policy.enforcement.verdict_events import VerdictEvents
from policy.metrics import JudgingMetrics
from registry.config.reload import Turn
from registry.config.settings import RegistrySettings
from registry.extension import Extension
from registry.metadata.store import MetadataStore
from registry.oci.errors import Unavailable


def extension(
    gate: PolicyGate, metadata: MetadataStore, section: Callable[[RegistrySettings], JudgingSettings]
) -> Extension:
    """The extension with this gate, which follows the settings and is closed with the registry."""
    reload = PolicyReload(gate)
    told = VerdictEvents(gate, metadata, lambda: gate.settings.events)

    async def follow(settings: RegistrySettings) -> Turn | None:
        return await reload.prepare(section(settings))

    return Extension(
        gate=gate,
        background=(reload.catch_up, Cleaning(gate, metadata).run, told.run),
        followers=(follow,),
        marks=marks_of(gate),
        collectors=(
            JudgingMetrics(gate.inspector.workers),
            EnforcementMetrics(gate.judge.log, gate.refusals, gate.exemptions),
        ),
        problems=(partial(_problems, gate),),
        beside_rows=(CopiedOperatorFile(),),
        close=gate.close,
    )


def _problems(gate: PolicyGate) -> list[str]:
    try:
        gate.results.generation()
    except Unavailable as error:
        return [error.message]
    return []
