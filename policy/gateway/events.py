"""`/policy/v1/events`: what happened in the repositories that the caller may pull from, in order."""

import json
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.gateway.event_stream import EventStream, OpenStreams, Subscription, begin_of, cursor_of, frame, is_asked_for
from registry.api.paging import page_size
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.config.events import EventSettings
from registry.metadata.events import Recorded
from registry.notifications.document import document_of
from registry.notifications.feed import Feed, FeedPage, Sees
from registry.oci.errors import BadRequest
from registry.oci.names import RepositoryName
from registry.oci.patterns import any_covers

PATH = "/policy/v1/events"
_PATTERNS = 50
_BLOBS = "blob."


def table(services: Services) -> tuple[Row, ...]:
    """The rows of the route table."""
    settings = services.stores.settings
    handlers = EventHandlers(
        Feed(services.stores.metadata, lambda: settings.current.events), lambda: settings.current.events
    )
    return (Row("GET HEAD", PATH, Requirement.SIGNED_IN, "events.read", handlers.read),)


class EventHandlers:
    """The handlers."""

    def __init__(self, feed: Feed, settings: Callable[[], EventSettings]) -> None:
        self._feed = feed
        self._settings = settings
        self._streams = OpenStreams(settings)

    async def read(self, services: Services, request: Request, principal: Principal) -> Response:
        """GET: a page of events after a cursor, or all that come, as a stream."""
        sees = _sees(services, request, principal)
        if is_asked_for(request):
            return await self._stream(services, request, principal, sees)
        size = page_size(request, self._settings().page, self._settings().page)
        page = await self._feed.page(cursor_of(request.query_params.get("after") or "0"), size, sees)
        return JSONResponse(page_document(page))

    async def _stream(self, services: Services, request: Request, principal: Principal, sees: Sees) -> Response:
        after, still = await begin_of(request, self._feed), partial(services.access.is_still, request)
        subscription = Subscription(principal.id, after, sees, still, _frames)
        return EventStream(self._feed, self._settings, self._streams, subscription)


def page_document(page: FeedPage) -> dict[str, Any]:
    """A page as it is told; ids are texts."""
    return {
        "events": [document_of(each) for each in page.events],
        "next": str(page.next),
        "more": page.more,
        "oldest": str(page.oldest),
        "newest": str(page.newest),
    }


def is_chosen(patterns: Sequence[str], kinds: Collection[str], recorded: Recorded) -> bool:
    """Whether an event is of these repositories and kinds; of all when none are given."""
    event = recorded.event
    return (not patterns or any_covers(patterns, event.repository)) and (not kinds or event.kind in kinds)


def _sees(services: Services, request: Request, principal: Principal) -> Sees:
    """What the caller asks for and may see. Of blobs hears who may push: they may be of an image that is withheld."""
    patterns, kinds = _asked(request, "repository"), frozenset(_asked(request, "kind"))

    def sees(recorded: Recorded) -> bool:
        if not is_chosen(patterns, kinds, recorded):
            return False
        event = recorded.event
        action = Action.PUSH if event.kind.startswith(_BLOBS) else Action.PULL
        return services.access.permits(request, principal, action, RepositoryName(event.repository))

    return sees


def _asked(request: Request, name: str) -> list[str]:
    asked = request.query_params.getlist(name)
    if len(asked) > _PATTERNS:
        raise BadRequest(f"{name} is given {len(asked)} times: at most {_PATTERNS} are looked at")
    return asked


async def _frames(events: Sequence[Recorded]) -> bytes:
    return b"".join(
        frame(each.id, each.event.kind, json.dumps(document_of(each), separators=(",", ":"))) for each in events
    )
