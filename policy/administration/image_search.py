"""The search as an act of a command: asked of a server, or done in a data folder."""

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from policy.administration.folder_gate import gate_of
from policy.search.conditions import Condition
from policy.search.images import ImageSearch
from policy.search.question import Question
from policy.search.routes import PATH, query_of
from policy.settings import search_section
from registry.administration.act import Act, Holdings
from registry.auth.principals import everybody


def search_images(conditions: Sequence[Condition], count: int, after: str) -> Act:
    """`{"images": [IMAGE], "next": …}`: a page of at most `count`, as the API gives it."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        settings = holdings.settings.current
        search = ImageSearch(gate_of(holdings), holdings.metadata, lambda: search_section(settings).looked_at)
        caller = everybody()
        question = Question(tuple(conditions), caller, caller.reaches, count, after, time.time())
        page = await search.page(question)
        return {"images": [each.document() for each in page.images], "next": page.next}

    paging = [f"n={count}", *([f"last={quote(after, safe='')}"] if after else [])]
    query = "&".join(part for part in (query_of([str(each) for each in conditions]), *paging) if part)
    return Act("GET", f"{PATH}?{query}", here)
