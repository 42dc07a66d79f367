"""Deployments as an extension of the registry: their rows, and the holds that follow the records."""

from collections.abc import Callable

from policy.deployments.service import Deployments
from policy.deployments.settings import DeploymentSettings
from policy.deployments.workspaces import Workspaces
from policy.gateway.checks import Checks
from policy.gateway.deployments.handlers import DeploymentHandlers, table
from policy.gateway.settings import GatewaySettings
from policy.signing.key_ring import KeyRing
from registry.api.routes import Row
from registry.api.services import Services, Stores
from registry.extension import Extension


def extension(  # noqa: PLR0913, PLR0917
    stores: Stores,
    checks: Checks,
    workspaces: Workspaces,
    ring: KeyRing,
    gateway: Callable[[], GatewaySettings],
    settings: Callable[[], DeploymentSettings],
) -> Extension:
    """Record what is deployed; `gateway` and `settings` are the sections that count now.

    Raises:
        RecordsUnreadable, OSError: what was recorded cannot be read.
    """
    current = stores.settings
    data = current.current.data
    deployments = Deployments(data, stores.metadata, workspaces, settings, lambda: current.current.auth.issuer)

    def routes(_services: Services) -> tuple[Row, ...]:
        return table(DeploymentHandlers(checks, deployments, workspaces, gateway, stores.parsing, ring))

    return Extension(routes=routes, background=(deployments.restore_holds,))
