"""The search as an act of a command: asked of a server, or done in a data folder."""

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from policy.enforcement.gate import PolicyGate
from policy.enforcement.operator_file import FILE as ORDERS
from policy.enforcement.operator_file import OperatorFileInForce
from policy.results.store import FILE as RESULTS
from policy.results.store import ResultStore
from policy.search.conditions import Condition
from policy.search.images import ImageSearch
from policy.search.question import Question
from policy.search.routes import PATH, query_of
from policy.settings import judging_section, search_section
from registry.administration.act import Act, Holdings
from registry.auth.principals import everybody


def search_images(conditions: Sequence[Condition], count: int, after: str) -> Act:
    """`{"images": [IMAGE], "next": …}`: a page of at most `count`, as the API gives it."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        settings = holdings.settings.current
        results = ResultStore(settings.data / RESULTS)
        orders = OperatorFileInForce(settings.data / ORDERS)
        gate = PolicyGate(holdings.storage, holdings.metadata, results, orders, judging_section(settings))
        try:
            search = ImageSearch(gate, holdings.metadata, lambda: search_section(settings).looked_at)
            caller = everybody()
            question = Question(tuple(conditions), caller, caller.reaches, count, after, time.time())
            page = await search.page(question)
        finally:
            gate.close()
        return {"images": [each.document() for each in page.images], "next": page.next}

    paging = [f"n={count}", *([f"last={quote(after, safe='')}"] if after else [])]
    query = "&".join(part for part in (query_of([str(each) for each in conditions]), *paging) if part)
    return Act("GET", f"{PATH}?{query}", here)
