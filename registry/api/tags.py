"""`/v2/<name>/tags/list` (end-8)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.api.paging import last_of, next_link, page_size
from registry.api.path_parameters import repository_of
from registry.api.services import Services
from registry.auth.principals import Principal


async def page(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: the tags in ASCII order, with a Link when there are more."""
    name, limits = repository_of(request), services.stores.settings.current.limits
    size = page_size(request, limits.tags_page, limits.tags_page)
    listing = await services.tags.page(name, size, last_of(request))
    has_more = size > 0 and listing.more
    headers = next_link(f"/v2/{name}/tags/list", listing.items[-1], size) if has_more else {}
    return JSONResponse({"name": name, "tags": list(listing.items)}, headers=headers)
