"""Errors become responses here and nowhere else: `{"errors": [{"code", "message", "detail"}]}`."""

import http
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope, Send

from registry.oci.errors import (
    BadRequest,
    InternalError,
    MethodNotAllowed,
    NameInvalid,
    NotFound,
    OciError,
    document_of,
    status_of,
)
from registry.telemetry.request_record import request_record_of

_INVALID = "basegate.invalid_name"
"""In a scope: what is wrong with the name of the repository."""


async def render(request: Request, error: Exception) -> Response:
    """The response for an error; any error that is not an OciError is an internal error (500)."""
    answered = error if isinstance(error, OciError) else InternalError()
    request_record = request_record_of(request.scope)
    if request_record is not None:
        request_record.error = answered
    return JSONResponse(document_of(answered), status_of(answered), headers=answered.headers)


async def render_framework(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (404, 405, …) in the same form."""
    status = error.status_code if isinstance(error, HTTPException) else http.HTTPStatus.INTERNAL_SERVER_ERROR
    headers = dict(getattr(error, "headers", None) or {})
    if status == http.HTTPStatus.NOT_FOUND:
        return await render(
            request, invalid_name_of(request.scope) or NotFound(f"there is nothing at {request.url.path[:255]!r}")
        )
    if status == http.HTTPStatus.METHOD_NOT_ALLOWED:
        message = f"{request.method} is not offered here: use {headers.get('Allow', 'another method')}"
        return await render(request, MethodNotAllowed(message, headers=headers))
    return await render(request, BadRequest() if status < http.HTTPStatus.INTERNAL_SERVER_ERROR else InternalError())


def note_invalid_name(scope: Scope, invalid: NameInvalid) -> None:
    """Note that a path would be one of a repository if that had a valid name."""
    scope.setdefault(_INVALID, invalid)


def invalid_name_of(scope: Scope) -> NameInvalid | None:
    """What is wrong with the name of the repository that a path would be one of."""
    invalid: NameInvalid | None = scope.get(_INVALID)
    return invalid


async def give_up(_request: Request, _error: Exception) -> None:
    """No response: the client has disconnected."""


EXCEPTION_HANDLERS: Mapping[Any, Any] = {
    OciError: render,
    HTTPException: render_framework,
    ClientDisconnect: give_up,
    Exception: render,
}


async def respond(endpoint: Callable[[Request], Awaitable[Response]], request: Request, send: Send) -> None:
    """Send the endpoint's response, or the response for its error, as Starlette does around its routes.

    Raises:
        Exception: an error after the response has begun, or an internal error, which is answered as well.
    """
    scope = request.scope
    try:
        response = await endpoint(request)
        await response(scope, request.receive, send)
    except Exception as error:
        request_record = request_record_of(scope)
        if request_record is not None and request_record.status:
            raise
        handled = next(each for each in type(error).__mro__ if each in EXCEPTION_HANDLERS)
        rendered = await EXCEPTION_HANDLERS[handled](request, error)
        if rendered is not None:
            await rendered(scope, request.receive, send)
        if handled is Exception:
            raise
        error.__traceback__ = None  # the traceback would keep this request's objects alive
