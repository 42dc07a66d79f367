"""Changes that a browser sends for another site are refused: it adds the caller's credentials by itself."""

from starlette.requests import Request

from registry.auth.challenge import challenger
from registry.config.settings import RegistrySettings
from registry.oci.errors import Denied

_OWN = frozenset({None, "same-origin", "none"})


def require_own_site(request: Request, settings: RegistrySettings) -> None:
    """Check what browsers say of the page that asks (Fetch Metadata, RFC 6454); programs say nothing.

    Raises:
        Denied: it is of another site.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in _OWN and origin in {None, challenger(request, settings).origin}:
        return
    source = (origin or site or "")[:128]
    raise Denied(
        f"the request comes from a page of another site ({source}): send it from a program or the command line"
    )
