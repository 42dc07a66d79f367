"""Pages of lists as Azure asks for them: `n`, `last`, `orderby`; and the link to the next one."""

from starlette.requests import Request

from registry.api.paging import last_of, next_link, page_size
from registry.api.services import Services
from registry.metadata.attributes import Order, PageStart
from registry.oci.errors import BadRequest

_ORDERS = {"": Order.NAME, "none": Order.NAME, "timedesc": Order.NEWEST, "timeasc": Order.OLDEST}
_TIME = "at"
"""Of our own, in links only: when the last entry was changed. It may be gone when the next page is asked for."""


def size_of(services: Services, request: Request) -> int:
    """How many entries are wanted; clipped to `limits.catalog_page_maximum`."""
    limits = services.stores.settings.current.limits
    return page_size(request, limits.catalog_page, limits.catalog_page_maximum)


def page_start_of(request: Request) -> PageStart:
    """Where the page begins.

    Raises:
        BadRequest: `orderby` is not a word of Azure's, or the time in a link is no number.
    """
    word = request.query_params.get("orderby", "")
    if word not in _ORDERS:
        raise BadRequest(f"orderby is {word[:32]!r}: needs timedesc, timeasc or none")
    time = request.query_params.get(_TIME)
    try:
        return PageStart(_ORDERS[word], last_of(request), None if time is None else float(time))
    except ValueError:
        raise BadRequest(f"{_TIME} is {str(time)[:32]!r}: follow the link as it was given") from None


def link(request: Request, path: str, size: int, last: str, updated: float | None = None) -> dict[str, str]:
    """The header that leads to the page behind an entry; `orderby` stands in it always, as Azure writes it."""
    word = request.query_params.get("orderby", "")
    more = {"orderby": word} | ({} if updated is None or _ORDERS[word] is Order.NAME else {_TIME: repr(updated)})
    return next_link(path, last, size, more)
