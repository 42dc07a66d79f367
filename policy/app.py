"""basegate put together: the registry, the policy's gate in it, and the gateway beside it."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from policy.enforcement.cleaning import Cleaning
from policy.enforcement.gate import PolicyGate
from policy.enforcement.reload import PolicyReload
from policy.gateway import routes as gateway
from policy.gateway.checks import Checks
from policy.metrics import JudgingMetrics
from policy.settings import Settings, gateway_section, judging_section
from registry.api import routes
from registry.api.services import Services, Stores
from registry.app import RegistryApp
from registry.app import build as build_registry
from registry.content.parsing import Parsing


def build(settings: Settings, *, new_database: bool = False) -> RegistryApp:
    """Build everything over the data folder of the settings; the caller closes it.

    With `new_database`, the registry begins with no rows although the folder holds content.

    Raises:
        PolicyRefused: a policy cannot be used.
        StandingOrdersRefused: the standing orders cannot be read.
        SigningKeyUnusable, BasegateError, SQLAlchemyError, OSError: the data folder cannot be used.
    """
    opened: list[PolicyGate] = []

    def gate(stores: Stores) -> PolicyGate:
        opened.append(PolicyGate.open(stores.storage, stores.metadata, settings.data, settings.policy))
        return opened[0]

    def more_routes(services: Services) -> Sequence[BaseRoute]:
        in_force = services.stores.settings
        clearances = Checks(services.stores.metadata, opened[0])
        return routes.build(
            services, gateway.table(clearances, lambda: gateway_section(in_force.current), Parsing(in_force))
        )

    app = build_registry(settings, gate=gate, more_routes=more_routes, new_database=new_database)
    app.services.metrics.collectors.register(JudgingMetrics(opened[0].inspector.workers))
    turnover = PolicyReload(opened[0], judging_section)
    app.accompany(turnover.catch_up, opened[0].close, turnover.prepare)
    app.accompany(Cleaning(opened[0], app.services.stores.metadata).run, lambda: None)
    return app
