"""The gateway as an extension of the registry: its routes."""

from collections.abc import Callable

from policy.attestation.attestations import Attestations
from policy.gateway.attestations import AttestationHandlers
from policy.gateway.attestations import table as attestations_table
from policy.gateway.checks import Checks
from policy.gateway.events import table as events_table
from policy.gateway.routes import table
from policy.gateway.settings import GatewaySettings
from registry.api.routes import Row
from registry.api.services import Services
from registry.extension import Extension


def extension(checks: Checks, attestations: Attestations, settings: Callable[[], GatewaySettings]) -> Extension:
    """The extension that answers checks; `settings` returns the gateway's settings in force."""

    def routes(services: Services) -> tuple[Row, ...]:
        answering = table(checks, settings, services.stores.parsing)
        return (*answering, *attestations_table(AttestationHandlers(checks, attestations)), *events_table(services))

    return Extension(routes=routes)
