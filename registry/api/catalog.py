"""`/v2/_catalog`: the repositories that the caller may pull from (Docker Registry HTTP API v2)."""

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.api.paging import last_of, next_link, page_size
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal


async def page(services: Services, request: Request, principal: Principal) -> Response:
    """GET: the names in ASCII order, with a Link when there are more."""
    limits = services.stores.settings.current.limits
    size = page_size(request, limits.catalog_page, limits.catalog_page_maximum)
    visible = partial(principal.may, Action.PULL)
    found = await services.catalog.page(visible, size, last_of(request), principal.patterns)
    more = size > 0 and found.more
    headers = next_link("/v2/_catalog", found.items[-1], size) if more else {}
    return JSONResponse({"repositories": list(found.items)}, headers=headers)
