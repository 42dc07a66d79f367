"""The pages as an extension of the registry: their rows, where they are switched on."""

from collections.abc import Callable

from policy.enforcement.gate import PolicyGate
from policy.search.images import ImageSearch
from policy.web.routes import table
from policy.web.settings import WebSettings
from registry.api.routes import Row
from registry.api.services import Services
from registry.extension import Extension


def extension(gate: PolicyGate, search: ImageSearch, settings: Callable[[], WebSettings]) -> Extension:
    """The extension that shows pages; `settings` returns their section. Without `web.enabled` it brings nothing."""

    def routes(services: Services) -> tuple[Row, ...]:
        if not settings().enabled:
            return ()
        return table(gate, search, settings, services.stores)

    return Extension(routes=routes)
