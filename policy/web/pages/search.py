"""The search: images by what is known of them, as conditions in a line and as fields."""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from policy.search.conditions import FACTS, OPERATORS, Condition, ConditionRefused, read_conditions, split
from policy.search.images import FoundImage, ImageSearch
from policy.search.question import Question
from policy.state import State
from policy.web.visit import View, Visit
from registry.oci.errors import OciError

_LONGEST = 1024
FIELDS: Mapping[str, str] = {
    "verdict": "verdict={}",
    "os": "os.name={}",
    "older": "os.version<{}",
    "conda": "conda<{}",
    "python": "python~{}*",
    "age": "tag.age>{}",
    "size": "size>{}",
}
"""The fields of the form beside the line of conditions, and the condition that each stands for."""
CHOICES: Mapping[str, Sequence[tuple[str, str]]] = {
    "verdict": [(state.value, state.value.replace("-", " ")) for state in State],
    "age": [("7d", "a week"), ("30d", "30 days"), ("90d", "90 days"), ("365d", "a year")],
    "size": [("500MB", "500 MB"), ("1GB", "1 GB"), ("5GB", "5 GB"), ("10GB", "10 GB")],
}


class SearchPage:
    """Builds `/search`.

    Args:
        search: finds images.
    """

    def __init__(self, search: ImageSearch) -> None:
        self._search = search

    async def __call__(self, visit: Visit) -> View:
        """What `?where=` and the fields beside it ask for, from `?after=` on; what cannot be read is told there."""
        fields = {name: visit.asked(name, 64).strip() for name in FIELDS}
        line, after = visit.asked("where", _LONGEST), visit.asked("after", 400)
        texts = split(line) + [FIELDS[name].format(value) for name, value in fields.items() if value]
        document: dict[str, Any] = {"conditions": texts, "images": [], "next": "", "problem": ""}
        try:
            document |= await self._found(visit, read_conditions(texts), after) if texts else {}
        except (ConditionRefused, OciError) as error:
            document["problem"] = error.message if isinstance(error, OciError) else str(error)
        going_on = {"where": line, **fields, "after": document["next"]}
        more = {
            "line": line,
            "fields": fields,
            "choices": CHOICES,
            "facts": FACTS,
            "signs": OPERATORS,
            "going_on": urlencode({name: value for name, value in going_on.items() if value}),
        }
        return View("search.html", document, more)

    async def _found(self, visit: Visit, conditions: tuple[Condition, ...], after: str) -> dict[str, Any]:
        rows = visit.settings.rows
        question = Question(conditions, visit.principal, visit.sees, rows, after, time.time())
        page = await self._search.page(question)
        return {"images": [_row(each) for each in page.images], "next": page.next}


def _row(found: FoundImage) -> dict[str, Any]:
    document = found.document()
    facts = document["facts"]
    system = " ".join(values[0] for name in ("os.name", "os.version") if (values := facts.get(name)))
    short = {"os": system.capitalize(), "conda": _joined(facts, "conda"), "python": _joined(facts, "python")}
    # In seconds since the epoch, as on all pages.
    tags = [{"tag": tag.name, "updated": tag.updated, "pulled": tag.pulled} for tag in found.tags]
    times = {"tags": tags, "pushed": found.overview.pushed, "pulled": found.pulled}
    return {**document, **times, "short": short}


def _joined(facts: Mapping[str, Sequence[str]], name: str) -> str:
    return ", ".join(facts.get(name, ()))
