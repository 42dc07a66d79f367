"""From a request to a page: who calls, what is shown, and how a refusal looks."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from policy.gateway.event_stream import is_asked_for
from policy.web.addresses import without_ending
from policy.web.responses import as_json, html
from policy.web.session import KIND, cookie_of, note_origin
from policy.web.settings import WebSettings
from policy.web.sign_in import sign_in_page
from policy.web.visit import View, Visit
from registry.api.routes import Handler
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci.errors import OciError, Unauthorized, status_of
from registry.telemetry.request_record import request_record_of

Build = Callable[[Visit], Awaitable[View]]
Act = Callable[[Visit], Awaitable[Response]]


class Pages:
    """Makes handlers of the functions that build pages.

    Args:
        settings: returns the section `web`.
    """

    def __init__(self, settings: Callable[[], WebSettings]) -> None:
        self._settings = settings

    def shows(self, build: Build, stream: Act | None = None) -> Handler:
        """A handler that answers what `build` shows, as HTML or JSON; `stream` answers who asks for what comes."""

        async def answer(visit: Visit) -> Response:
            if stream is not None and is_asked_for(visit.request):
                return await stream(visit)
            view = await build(visit)
            if without_ending(visit.request.url.path)[1]:
                return as_json(view.document)
            values = {"page": view.document, **(view.more or {})}
            return await html(visit.request, view.template, values, visit.principal)

        return self.acts(answer)

    def acts(self, act: Act) -> Handler:
        """A handler that answers what `act` answers, and refusals as a page."""

        async def handler(services: Services, request: Request, _principal: Principal) -> Response:
            note_origin(request, services.stores.settings.current)
            text, is_json = without_ending(request.path_params.get("rest") or request.url.path)
            # What identifies the caller is noted in a scope of the page's own.
            try:
                principal = await identified(services, request)
                return await act(Visit(services, request, principal, text, self._settings()))
            except OciError as error:
                if is_json:
                    raise
                return await _refusal(services, request, error)

        return handler


async def identified(services: Services, request: Request) -> Principal:
    """Who calls, by the cookie or, for programs, by an `Authorization` header.

    Raises:
        Unauthorized: nobody has signed in, or the session has ended.
        TooManyRequests: too many wrong secrets.
    """
    token = cookie_of(request)
    if token and "authorization" not in request.headers:
        identity = await services.token_service.by_whole_token(token, KIND)
        principal = services.access.adopt(request, identity)
    else:
        principal = await services.access.identify(request)
    record = request_record_of(request.scope)
    if record is not None:
        record.principal = principal
    return principal


async def _refusal(services: Services, request: Request, error: OciError) -> Response:
    record = request_record_of(request.scope)
    if record is not None:
        record.error = error
    principal = services.access.caller(request)
    if isinstance(error, Unauthorized) or principal is None:
        alert = "" if isinstance(error, Unauthorized) else error.message
        page = await sign_in_page(request, status=status_of(error), next_page=request.url.path, alert=alert)
    else:
        values = {"code": error.code, "status": status_of(error), "message": error.message}
        page = await html(request, "error.html", values, principal, status_of(error))
    if "Retry-After" in error.headers:
        page.headers["Retry-After"] = error.headers["Retry-After"]
    return page
