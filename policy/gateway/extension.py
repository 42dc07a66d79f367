"""The gateway as an extension of the registry: its rows."""

from collections.abc import Callable

from policy.gateway.checks import Checks
from policy.gateway.routes import table
from policy.gateway.settings import GatewaySettings
from registry.api.routes import Row
from registry.api.services import Services
from registry.content.parsing import Parsing
from registry.extension import Extension


def extension(checks: Checks, settings: Callable[[], GatewaySettings]) -> Extension:
    """Answer checks; `settings` are the gateway's that count now."""

    def routes(services: Services) -> tuple[Row, ...]:
        return table(checks, settings, Parsing(services.stores.settings))

    return Extension(routes=routes)
