"""Responses of pages: HTML or JSON, with the headers that keep a page from being anybody else's."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from policy.web.owners import owns
from policy.web.rendering import render
from policy.web.session import cookie_of, form_token, origin_of
from registry.api.responses import WholeResponse
from registry.auth.principals import Principal
from registry.telemetry.request_record import request_record_of

SECURITY: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Nothing inline, nothing from elsewhere, in no frame. `nosniff` stands on every answer of the registry."""
PAGES: Sequence[tuple[str, str, bool]] = (
    ("/", "Catalog", False),
    ("/search", "Search", False),
    ("/activity", "Activity", False),
    ("/policies", "Policies", False),
    ("/exemptions", "Exemptions", True),
    ("/principals", "Principals", True),
    ("/gc", "Garbage", True),
)
"""Address, name, and whether it is for owners alone, of the pages that every page links to."""
_PRIVATE = {"Cache-Control": "no-store, private", "Vary": "Cookie"}


async def html(
    request: Request, template: str, values: Mapping[str, Any], principal: Principal | None, status: int = 200
) -> Response:
    """A page in its frame; without a principal the frame tells nothing of the registry.

    Rendered beside the event loop: templates take milliseconds, and the first time a good part of a second.
    """
    record = request_record_of(request.scope)
    frame = {
        "who": "" if principal is None else principal.name,
        "is_owner": principal is not None and owns(principal),
        "host": origin_of(request).partition("://")[2],
        "path": request.url.path,
        "query": request.url.query,
        "has_session": principal is not None and bool(cookie_of(request)),
        "form": form_token(request),
        "request_id": "" if record is None else record.request_id,
    }
    text = await asyncio.to_thread(render, template, {**values, "frame": frame, "pages_of_all": PAGES})
    return WholeResponse(text.encode(), status, headers={**SECURITY, **_PRIVATE}, media_type="text/html; charset=utf-8")


def as_json(document: Mapping[str, Any]) -> Response:
    """The document of a page."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return WholeResponse(text.encode(), headers={**SECURITY, **_PRIVATE}, media_type="application/json")
