"""The administration API as an extension of the registry: its routes."""

from registry.administration.body import Body
from registry.administration.routes import table
from registry.administration.run_handlers import RunHandlers
from registry.administration.runs import Runs
from registry.api.routes import Row
from registry.api.services import Services, Stores
from registry.extension import Extension


def extension(stores: Stores, shared: Runs) -> Extension:
    """The extension over the stores; `shared` are the runs of the server, of other extensions too."""
    body = Body(stores.parsing, lambda: stores.settings.current.administration)
    runs = RunHandlers(shared)

    def routes(_services: Services) -> tuple[Row, ...]:
        return table(body, runs)

    return Extension(routes=routes, background=[shared.until_end])
