"""The administration API of policies as an extension of the registry: its routes."""

from policy.administration.handlers import PolicyHandlers
from policy.enforcement.gate import PolicyGate
from registry.administration.act import BASE
from registry.administration.body import Body
from registry.administration.run_handlers import RunHandlers
from registry.administration.runs import Runs
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services, Stores
from registry.extension import Extension

_READ = "GET HEAD"
_POLICIES, _EXEMPTIONS = f"{BASE}/policies", f"{BASE}/exemptions"


def extension(gate: PolicyGate, stores: Stores, runs: Runs) -> Extension:
    """The extension; `runs` are those of the server."""
    body = Body(stores.parsing, lambda: stores.settings.current.administration)
    handlers = PolicyHandlers(gate, body, RunHandlers(runs))

    def routes(_services: Services) -> tuple[Row, ...]:
        return table(handlers)

    return Extension(routes=routes)


def table(handlers: PolicyHandlers) -> tuple[Row, ...]:
    """The rows."""
    owner = Requirement.OWNER
    return (
        Row(_READ, _POLICIES, owner, "admin.list_policies", handlers.list_policies),
        Row("POST", f"{_POLICIES}/replay", owner, "admin.replay_policy", handlers.replay),
        Row("POST", f"{_POLICIES}/activate", owner, "admin.activate_policy", handlers.activate),
        Row("POST", f"{_POLICIES}/deactivate", owner, "admin.deactivate_policy", handlers.deactivate),
        Row(_READ, f"{_POLICIES}/{{policy}}", owner, "admin.show_policy", handlers.show_policy),
        Row(_READ, _EXEMPTIONS, owner, "admin.list_exemptions", handlers.list_exemptions),
        Row("POST", _EXEMPTIONS, owner, "admin.make_exemption", handlers.make_exemption),
        Row("DELETE", f"{_EXEMPTIONS}/{{exemption}}", owner, "admin.end_exemption", handlers.end_exemption),
    )
