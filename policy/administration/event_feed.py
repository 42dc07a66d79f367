"""The feed of events as an act of a command: asked of a server, or read in a data folder."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from policy.gateway.events import PATH, is_chosen, page_document
from registry.administration.act import Act, Holdings
from registry.notifications.feed import Feed


def read_events(after: int, count: int, repositories: Sequence[str], kinds: Sequence[str]) -> Act:
    """`{"events": [EVENT], "next", "more", "oldest", "newest"}`: a page behind a cursor, as the API gives it.

    In a data folder everything is told, on a server what the caller may see. `repositories` are patterns; without
    any, and without kinds, all are meant.
    """

    async def here(holdings: Holdings) -> dict[str, Any]:
        feed = Feed(holdings.metadata, lambda: holdings.settings.current.events)
        sees = partial(is_chosen, tuple(repositories), frozenset(kinds))
        return page_document(await feed.page(after, count, sees, hidden=True))

    query = {"after": str(after), "n": str(count), "repository": list(repositories), "kind": list(kinds)}
    return Act("GET", PATH, here, query)
