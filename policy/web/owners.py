"""What only owners see and do: whatever speaks of the registry as a whole."""

from policy.web.visit import Visit
from registry.auth.principals import Principal
from registry.oci.errors import Denied


def owns(principal: Principal) -> bool:
    """Whether the principal has the role that manages the registry as a whole, everywhere."""
    return principal.owns_registry


def is_owner(visit: Visit) -> bool:
    """Whether the caller owns the registry, and did not come with a token that grants less."""
    return owns(visit.principal) and not visit.services.access.is_narrowed(visit.request)


def require_owner(visit: Visit, act: str) -> None:
    """Refuse everybody else. Raises Denied."""
    if not is_owner(visit):
        raise Denied(f"principal {visit.principal.name} may not {act}: needs role Owner for all repositories")
