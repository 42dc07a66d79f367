"""Errors become responses here and nowhere else: `{"errors": [{"code", "message", "detail"}]}`."""

import http
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from registry.exchange import exchange_of
from registry.oci.errors import (
    BadRequest,
    InternalError,
    MethodNotAllowed,
    NotFound,
    OciError,
    document_of,
    status_of,
)


async def render(request: Request, error: Exception) -> Response:
    """The one place where an error meets HTTP; anything that is not an OciError is a fault of ours (500)."""
    told = error if isinstance(error, OciError) else InternalError()
    exchange = exchange_of(request.scope)
    if exchange is not None:
        exchange.error = told
    return JSONResponse(document_of(told), status_of(told), headers=told.headers)


async def render_framework(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (404, 405, …) in the same form."""
    status = error.status_code if isinstance(error, HTTPException) else http.HTTPStatus.INTERNAL_SERVER_ERROR
    headers = dict(getattr(error, "headers", None) or {})
    if status == http.HTTPStatus.NOT_FOUND:
        return await render(request, NotFound(f"there is nothing at {request.url.path[:255]!r}"))
    if status == http.HTTPStatus.METHOD_NOT_ALLOWED:
        message = f"{request.method} is not offered here: use {headers.get('Allow', 'another method')}"
        return await render(request, MethodNotAllowed(message, headers=headers))
    return await render(request, BadRequest() if status < http.HTTPStatus.INTERNAL_SERVER_ERROR else InternalError())


async def give_up(_request: Request, _error: Exception) -> None:
    """The caller has left: there is nobody to answer."""


EXCEPTION_HANDLERS: Mapping[Any, Any] = {
    OciError: render,
    HTTPException: render_framework,
    ClientDisconnect: give_up,
    Exception: render,
}
