"""`GET /policy/v1/images?CONDITION&CONDITION…`: each condition is one percent-encoded parameter."""

import time
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.search.conditions import ConditionRefused, read_conditions
from policy.search.images import ImageSearch
from policy.search.question import Question
from policy.search.settings import SearchSettings
from registry.api.paging import page_size
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.oci.errors import BadRequest

PATH = "/policy/v1/images"
_PAGING = ("n=", "last=")


def table(search: ImageSearch, settings: Callable[[], SearchSettings]) -> tuple[Row, ...]:
    """The row of the route table; `settings` returns the section `search`."""
    return (Row("GET HEAD", PATH, Requirement.SIGNED_IN, "images.search", SearchHandler(search, settings)),)


class SearchHandler:
    """The handler."""

    def __init__(self, search: ImageSearch, settings: Callable[[], SearchSettings]) -> None:
        self._search = search
        self._settings = settings

    async def __call__(self, services: Services, request: Request, principal: Principal) -> Response:
        """GET: images that meet all conditions, in the repositories that the caller may pull from."""
        limits = self._settings()
        count = page_size(request, limits.page, limits.page_maximum)
        texts = conditions_in(request)
        sees = partial(services.access.permits, request, principal, Action.PULL)
        after = request.query_params.get("last", "")
        try:
            question = Question(read_conditions(texts), principal, sees, max(1, count), after, time.time())
        except ConditionRefused as error:
            raise BadRequest(str(error)) from None
        page = await self._search.page(question)
        link = _link(texts, page.next, count) if page.next else {}
        return JSONResponse({"images": [each.document() for each in page.images], "next": page.next}, headers=link)


def conditions_in(request: Request) -> list[str]:
    """The conditions of a query, as they were before they were encoded."""
    parts = request.url.query.split("&")
    return [unquote(part) for part in parts if part and not part.startswith(_PAGING)]


def query_of(texts: list[str]) -> str:
    """The query that has these conditions."""
    return "&".join(quote(text, safe="") for text in texts)


def _link(texts: list[str], last: str, count: int) -> dict[str, str]:
    query = "&".join(part for part in (query_of(texts), f"last={quote(last, safe='')}", f"n={count}") if part)
    return {"Link": f'<{PATH}?{query}>; rel="next"'}
