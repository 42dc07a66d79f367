"""Signing in and out, and forms: a principal's name and secret become a session."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from policy.web.responses import SECURITY, html
from policy.web.session import (
    KIND,
    TOKEN,
    forget_cookie,
    note_origin,
    require_own_form,
    require_same_origin,
    set_cookie,
)
from policy.web.settings import WebSettings
from policy.web.visit import Visit
from registry.api.request_body import read_limited
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.auth.token_form import parse_form
from registry.oci.errors import BadRequest, OciError, Unauthorized, status_of
from registry.telemetry.request_record import request_record_of

_SEE_OTHER = 303


class SignInHandlers:
    """The handlers.

    Args:
        settings: returns the section `web`.
    """

    def __init__(self, settings: Callable[[], WebSettings]) -> None:
        self._settings = settings

    async def ask(self, services: Services, request: Request, _principal: Principal) -> Response:
        """GET: the form."""
        note_origin(request, services.stores.settings.current)
        return await sign_in_page(request, next_page=request.query_params.get("next", ""))

    async def sign_in(self, services: Services, request: Request, _principal: Principal) -> Response:
        """POST: a session, and the page that was asked for; the form again when the secret is wrong."""
        note_origin(request, services.stores.settings.current)
        fields = await form_of(services, request)
        name, secret = fields.get("username", ""), fields.get("password", "")
        try:
            require_same_origin(request)
            if not name or not secret:
                raise BadRequest("a name and a secret are needed: type both")
            token, seconds = await self._session(services, request, name, secret)
        except OciError as error:
            _note(request, error)
            return await _again(request, error, name, fields.get("next", ""))
        response = see_other(own_path(fields.get("next", "")))
        set_cookie(request, response, token, seconds)
        return response

    async def _session(self, services: Services, request: Request, name: str, secret: str) -> tuple[str, int]:
        address = request.client.host if request.client else ""
        identity = await services.token_service.by_secret(name, secret, address)
        record = request_record_of(request.scope)
        if record is not None:
            record.principal = identity.principal
        token = services.token_service.whole(identity, KIND, self._settings().session_hours * 3600)
        return token.text, token.expires_in


async def sign_out(visit: Visit) -> Response:
    """POST: the session's end, as far as this browser is concerned."""
    await require_form(visit)
    response = see_other("/sign-in")
    forget_cookie(visit.request, response)
    return response


async def require_form(visit: Visit) -> dict[str, str]:
    """The fields of a form that this session's own page has sent.

    Raises:
        Denied: another page has sent it.
        BadRequest, ContentTooLarge: as `form_of`.
    """
    fields = await form_of(visit.services, visit.request)
    require_own_form(visit.request, fields.get(TOKEN, ""))
    return fields


async def form_of(services: Services, request: Request) -> dict[str, str]:
    """The fields of the request's form; of a name that is repeated the last.

    Raises:
        BadRequest, ContentTooLarge: it cannot be read, or is larger than `auth.form_bytes`.
    """
    return dict(parse_form(await read_limited(request, services.stores.settings.current.auth.form_bytes)))


async def sign_in_page(
    request: Request, *, status: int = 200, next_page: str = "", alert: str = "", name: str = ""
) -> Response:
    """The form: all that callers see who have not signed in."""
    values = {"next": own_path(next_page), "alert": alert, "name": name}
    return await html(request, "sign-in.html", values, None, status)


def own_path(text: str) -> str:
    """The text, if it is a path of this server; else the first page."""
    is_own = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_own and not text.startswith("/sign-") else "/"


async def _again(request: Request, error: OciError, name: str, next_page: str) -> Response:
    alert = error.message
    if isinstance(error, Unauthorized):
        alert = (
            "Name and secret do not belong together, or the secret has ended. An owner of this registry makes new ones."
        )
    response = await sign_in_page(request, status=status_of(error), next_page=next_page, alert=alert, name=name[:128])
    if "Retry-After" in error.headers:
        response.headers["Retry-After"] = error.headers["Retry-After"]
    return response


def _note(request: Request, error: OciError) -> None:
    record = request_record_of(request.scope)
    if record is not None:
        record.error = error


def see_other(path: str) -> Response:
    """Where the browser is to go on, with GET."""
    return RedirectResponse(path, _SEE_OTHER, headers={**SECURITY, "Cache-Control": "no-store, private"})
