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
    listing = await services.catalog.page(visible, size, last_of(request), principal.patterns)
    has_more = size > 0 and listing.more
    headers = next_link("/v2/_catalog", listing.items[-1], size) if has_more else {}
    return JSONResponse({"repositories": list(listing.items)}, headers=headers)
