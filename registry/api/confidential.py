"""Secrets are told over HTTPS, or to this machine, and nowhere else."""

from ipaddress import ip_address

from starlette.requests import Request

from registry.oci.errors import Denied


def require_confidential(request: Request, what: str) -> None:
    """Refuse what would tell a secret to another machine in plain HTTP; what a trusted proxy says has been applied.

    Raises:
        Denied: it would.
    """
    if request.url.scheme == "https" or _is_here(request.client.host if request.client else ""):
        return
    raise Denied(
        f"{what} would be told in plain HTTP to {request.client.host if request.client else 'somebody unknown'}: serve "
        "the registry over HTTPS, or ask for them on its own machine"
    )


def _is_here(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    plain = getattr(parsed, "ipv4_mapped", None) or parsed
    return bool(plain.is_loopback)
