"""Sessions: a cookie says who calls, and a form says that the caller's own page sent it.

The cookie is a signed token of a kind of its own, good for nothing but pages. It ends with the principal and with the
secret that it was got with, as every token does. A form's token is derived from the cookie, which no other site can
read; on top of it, browsers say from where a form came.
"""

import hmac
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from registry.auth.challenge import challenger
from registry.config.settings import RegistrySettings
from registry.oci.errors import Denied

KIND = "page"
TOKEN = "form"  # noqa: S105
_PLAIN, _SECURE = "basegate", "__Host-basegate"


def note_origin(request: Request, settings: RegistrySettings) -> None:
    """Note scheme and host that the browser sees, for all that asks for them on this page."""
    request.state.origin = challenger(request, settings).origin


def origin_of(request: Request) -> str:
    """Scheme and host that the browser sees."""
    return str(request.state.origin)


def is_secure(request: Request) -> bool:
    """Whether the browser sees HTTPS."""
    return origin_of(request).startswith("https:")


def cookie_of(request: Request) -> str:
    """The token in the request's cookie, or empty."""
    return request.cookies.get(_name(request), "")


def set_cookie(request: Request, response: Response, token: str, seconds: int) -> None:
    """Have the browser keep a token."""
    response.set_cookie(
        _name(request), token, max_age=seconds, path="/", secure=is_secure(request), httponly=True, samesite="strict"
    )


def forget_cookie(request: Request, response: Response) -> None:
    """Have the browser forget it."""
    set_cookie(request, response, "", 0)


def form_token(request: Request) -> str:
    """What the forms of this session bear."""
    return hmac.new(cookie_of(request).encode(), b"form", sha256).hexdigest()


def require_own_form(request: Request, token: str) -> None:
    """Refuse a form that another site's page sent, or another session's. Raises Denied."""
    require_same_origin(request)
    if not cookie_of(request):
        raise Denied("changes on pages are made in a session: sign in first, or use the API")
    if not request.headers.get("sec-fetch-site") and not request.headers.get("origin"):
        raise Denied("the form does not say which page sent it: a browser's own form has Sec-Fetch-Site or Origin")
    if not hmac.compare_digest(token.encode(), form_token(request).encode()):
        raise Denied("the form is of another session: open the page again, and send it from there")


def require_same_origin(request: Request) -> None:
    """Refuse what a browser says comes from another site. Raises Denied."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_own = site == "same-origin" if site else origin in {None, origin_of(request)}
    if not is_own:
        source = (origin or site or "")[:128]
        raise Denied(f"the form comes from another site ({source}): open the page here, and send it from there")


def _name(request: Request) -> str:
    return _SECURE if is_secure(request) else _PLAIN
