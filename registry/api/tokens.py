"""`/oauth2/token` and `/oauth2/exchange`: credentials in, tokens out (distribution's token specification, ACR)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.api.request_body import read_limited
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.auth.token_form import Fields, parse_form
from registry.auth.token_service import Handout
from registry.oci.errors import BadRequest
from registry.telemetry.request_record import request_record_of

_PRIVATE = {"Cache-Control": "no-store"}  # RFC 6749 section 5.1


async def grant(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: a token for Basic credentials, or the anonymous caller's; `scope` may be repeated.

    `offline_token` is ignored: a client that uses GET keeps the secret, and needs no refresh token.
    """
    scopes = _scopes(services, request.query_params.multi_items())
    authorization = request.headers.get("authorization")
    return _answer(request, await services.token_service.for_header(authorization, _address(request), scopes))


async def redeem(services: Services, request: Request, _principal: Principal) -> Response:
    """POST: a token for a form with `grant_type` password or refresh_token (RFC 6749)."""
    fields = await _form(services, request)
    return _answer(
        request, await services.token_service.for_form(dict(fields), _address(request), _scopes(services, fields))
    )


async def exchange(services: Services, request: Request, _principal: Principal) -> Response:
    """POST: a refresh token for a token of this registry."""
    return _answer(request, await services.token_service.exchange(dict(await _form(services, request))))


def _answer(request: Request, handout: Handout) -> Response:
    served = request_record_of(request.scope)
    if served is not None:
        served.principal = handout.principal
    return JSONResponse(handout.reply, headers=_PRIVATE)


async def _form(services: Services, request: Request) -> Fields:
    """The fields of the request's form."""
    return parse_form(await read_limited(request, services.stores.settings.current.auth.form_bytes))


def _scopes(services: Services, fields: Fields) -> list[str]:
    scopes = [word for name, value in fields if name == "scope" for word in value.split()]
    maximum = services.stores.settings.current.auth.scopes
    if len(scopes) > maximum:
        raise BadRequest(f"{len(scopes)} scopes are asked for, at most {maximum} fit one token: ask in parts")
    return scopes


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
