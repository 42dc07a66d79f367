"""Secrets are told, and taken, over HTTPS or on this machine, and nowhere else."""

from ipaddress import ip_address

from starlette.requests import Request

from registry.api.forwarded import is_client_known
from registry.oci.errors import Denied


def require_confidential(request: Request, what: str) -> None:
    """Refuse what would tell a secret to another machine in plain HTTP.

    Raises:
        Denied: it would.
    """
    if not is_confidential(request):
        raise Denied(
            f"{what} would be told in plain HTTP to {_whom(request)}: "
            "serve the registry over HTTPS, or ask for them on its own machine"
        )


def _whom(request: Request) -> str:
    if not is_client_known(request.scope):
        return "whoever is behind a proxy that server.trusted_proxies does not name, or that does not tell it"
    return request.client.host if request.client else "somebody unknown"


def is_confidential(request: Request) -> bool:
    """Whether nobody between can read it: over HTTPS, or on this machine; as a trusted proxy says, if one does.

    What a proxy on this machine passes on may come from anywhere: it is not confidential unless that proxy is trusted.
    """
    if request.url.scheme == "https":
        return True
    if not is_client_known(request.scope):
        return False
    try:
        peer = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return (getattr(peer, "ipv4_mapped", None) or peer).is_loopback
