"""The endpoints that Kubernetes asks as an extension of the registry: their rows."""

from collections.abc import Callable

from policy.gateway.checks import Checks
from policy.gateway.settings import GatewaySettings
from policy.kubernetes.routes import ReviewHandlers, table
from policy.kubernetes.settings import KubernetesSettings
from registry.api.routes import Row
from registry.api.services import Services
from registry.extension import Extension


def extension(
    checks: Checks, gateway: Callable[[], GatewaySettings], settings: Callable[[], KubernetesSettings]
) -> Extension:
    """The extension that answers reviews; `gateway` and `settings` return the sections in force."""

    def routes(services: Services) -> tuple[Row, ...]:
        return table(ReviewHandlers(checks, gateway, settings, services.stores.parsing))

    return Extension(routes=routes)
