"""The catalog: repositories with their newest tag, the search for names and digests, and filters with counts."""

import re
import time
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from policy.enforcement.gate import PolicyGate
from policy.search.images import ImageSearch
from policy.search.question import Question
from policy.search.tally import Tally
from policy.web.pages.marks import manifest_document, mark_of
from policy.web.pages.search import CHOICES, FIELDS
from policy.web.visit import View, Visit
from registry.auth.principals import Principal
from registry.caches import Recent
from registry.metadata import overviews
from registry.metadata.overviews import TagOverview, Tags
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

_DIGEST = re.compile(r"(?:sha(?:256|512):)?[0-9a-f]{7,128}")
_LONGEST_QUERY = 255
_TAGS_LOOKED_AT = 500
_STRIDES = 20
_TALLIES = 200
_TALLY_SECONDS = 10.0


class CatalogPage:
    """Builds `/`.

    Args:
        gate: knows the verdicts.
        search: counts images.
    """

    def __init__(self, gate: PolicyGate, search: ImageSearch) -> None:
        self._gate = gate
        self._search = search
        self._tallies: Recent[tuple[Principal, bytes], Tally] = Recent(_TALLIES, _TALLY_SECONDS)

    async def __call__(self, visit: Visit) -> View:
        """The page after `?after=`, of names that hold `?q=`."""
        query, after = visit.asked("q", _LONGEST_QUERY).strip(), visit.asked("after", _LONGEST_QUERY)
        names, more = await self._names(visit, query.lower(), after)
        document = {
            "query": query,
            "repositories": await self._rows(visit, names),
            "images": await self._images(visit, query) if not after else [],
            "next": more,
            "policy": self._gate.policies.of("*").policy.name,
            "tally": _tally_document(await self._tally(visit)),
        }
        return View("catalog.html", document, {"after": after, "fields": dict.fromkeys(FIELDS, ""), "choices": CHOICES})

    async def _tally(self, visit: Visit) -> Tally:
        """Remembered for some seconds, for each secret: a token may be for less than its principal sees."""
        header = visit.request.headers.get("authorization", "")
        key = visit.principal, sha256(header.encode()).digest()
        known = self._tallies.get(key)
        if known is None:
            question = Question((), visit.principal, visit.sees, visit.settings.rows, "", time.time())
            known = await self._search.tally(question, visit.settings.counted)
            self._tallies.put(key, known)
        return known

    async def _names(self, visit: Visit, text: str, after: str) -> tuple[list[RepositoryName], str]:
        """Names for a page, and what to ask for names after it; empty where no more follow."""
        rows = visit.settings.rows
        if not text:
            catalog = visit.services.catalog
            listing = await catalog.page(visit.sees, rows + 1, after, visit.principal.patterns)
            return _page(list(listing.items), rows, "")
        metadata, shown = visit.services.stores.metadata, list[RepositoryName]()
        stride = visit.settings.looked_at
        for _ in range(_STRIDES):
            names = await metadata.read_apart(overviews.names_with, text, after, stride)
            shown += filter(visit.sees, names)
            if len(shown) > rows or len(names) < stride:
                return _page(shown, rows, "")
            after = names[-1]
        return _page(shown, rows, after)

    async def _rows(self, visit: Visit, names: list[RepositoryName]) -> list[dict[str, Any]]:
        metadata = visit.services.stores.metadata
        tags = await metadata.read_apart(overviews.tags_of_each, names, _TAGS_LOOKED_AT)
        return [await self._row(name, tags[name]) for name in names if name in tags]

    async def _row(self, name: RepositoryName, tags: Tags) -> dict[str, Any]:
        newest = None if tags.newest is None else await self._newest(name, tags.newest)
        return {"name": name, "tags": tags.count, "more_tags": tags.count == _TAGS_LOOKED_AT, "newest": newest}

    async def _newest(self, name: RepositoryName, tag: TagOverview) -> dict[str, Any]:
        mark = await mark_of(self._gate, name, tag.manifest.digest)
        return {"tag": tag.name, "updated": tag.updated, **manifest_document(tag.manifest), **mark}

    async def _images(self, visit: Visit, query: str) -> list[dict[str, Any]]:
        """Manifests whose digest begins so."""
        if not _DIGEST.fullmatch(query):
            return []
        beginning = query if ":" in query else f"sha256:{query}"
        shown: list[tuple[RepositoryName, Digest]] = []
        after, stride = ("", ""), visit.settings.rows
        for _ in range(_STRIDES):
            found = await visit.services.stores.metadata.read_apart(overviews.manifests_named, beginning, after, stride)
            shown += [each for each in found if visit.sees(each[0])]
            if len(found) < stride or len(shown) >= stride:
                break
            after = found[-1][1], found[-1][0]
        return [
            {"repository": name, "digest": digest, **await mark_of(self._gate, name, digest)}
            for name, digest in shown[:stride]
        ]


def _tally_document(tally: Tally) -> dict[str, Any]:
    """`{"images", "more", "shares": {FACT: [{"name", "conditions", "count"}]}}`."""
    return asdict(tally)


def _page(names: list[RepositoryName], rows: int, looked_at: str) -> tuple[list[RepositoryName], str]:
    """The names that fit, and where the next page begins: behind them, else behind the last name that was looked at."""
    return names[:rows], names[rows - 1] if len(names) > rows else looked_at
