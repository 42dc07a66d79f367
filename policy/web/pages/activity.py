"""Activity: what changed, or was refused, lately where the caller may see it, the latest first; a page, and a stream.

Blobs are left out: a push has many, and of an image that is withheld nobody is told what it consists of.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from starlette.responses import Response

from policy.enforcement.gate import PolicyGate
from policy.enforcement.verdict_events import VERDICT_SET
from policy.gateway.event_stream import EventStream, OpenStreams, Subscription, begin_of, frame
from policy.state import State
from policy.web.pages import pushes
from policy.web.pages.refused import documents, seen
from policy.web.rendering import render_part
from policy.web.responses import SECURITY
from policy.web.visit import View, Visit
from registry.config.events import EventSettings
from registry.metadata import locks, manifests, overviews
from registry.metadata.events import Kind, Recorded
from registry.metadata.overviews import EventOverview
from registry.notifications.feed import Feed
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest
from registry.oci.names import RepositoryName

_LONGEST_ID = 18
_LONGEST_LIST = 4096
_BLOBS = "blob."
_JUDGED = frozenset({Kind.MANIFEST_PUSHED, Kind.MANIFEST_RESTORED, Kind.TAG_SET, VERDICT_SET})
_ROW = "row"
"""What an event of the stream is called."""


class ActivityPage:
    """Builds `/activity`, and streams the rows that come while it is open.

    Args:
        gate: knows the verdicts.
        feed: where events are read.
        settings: returns the section `events`.
    """

    def __init__(self, gate: PolicyGate, feed: Feed, settings: Callable[[], EventSettings]) -> None:
        self._gate = gate
        self._feed = feed
        self._settings = settings
        self._streams = OpenStreams(settings)

    async def __call__(self, visit: Visit) -> View:
        """The page, before the event `?before=`; with `?only=ID,ID…` just these events.

        With `?show=refused` what was refused instead of what changed.
        """
        refusals = await seen(visit, self._gate.refusals.latest())
        shown = visit.asked("show", 16) == "refused"
        document: dict[str, Any] = {"events": [], "next": "", "refused": [], "refused_count": len(refusals)}
        if shown:
            document["refused"] = documents(visit, refusals[: visit.settings.rows])
            return View("refused.html", document)
        only = visit.asked("only", _LONGEST_LIST)
        return await (self._these(visit, document, only) if only else self._changes(visit, document))

    async def _these(self, visit: Visit, document: dict[str, Any], only: str) -> View:
        """Whoever waits for the verdicts of some rows asks for these rows."""
        ids = [int(each) for each in only.split(",") if each.isdecimal() and len(each) <= _LONGEST_ID]
        metadata = visit.services.stores.metadata
        found = await metadata.read_apart(overviews.events_of_ids, ids[: visit.settings.rows])
        document["events"] = await self._documents(visit, _shown_to(visit, found))
        return View("activity.html", document, {"before": "", "only": only})

    async def _changes(self, visit: Visit, document: dict[str, Any]) -> View:
        before = visit.asked("before", 32)
        if before and (not before.isdecimal() or len(before) > _LONGEST_ID):
            raise BadRequest(f"before is {before[:32]!r}: follow the link as it was given")
        rows, stride = visit.settings.rows, visit.settings.looked_at
        newest = await self._feed.newest()
        found = await visit.services.stores.metadata.read_apart(
            overviews.events_before, int(before) if before else None, stride
        )
        told = pushes.told(_shown_to(visit, found)[::-1])[::-1]
        shown = told[:rows]
        more = len(told) > rows or len(found) == stride
        last = shown[-1] if len(told) > rows else found[-1] if found else None
        document |= {"events": await self._documents(visit, shown), "next": str(last.id) if more and last else ""}
        # What was written between the two questions is in both: the stream begins behind what was seen.
        after = max([newest, *(each.id for each in found[:1])])
        return View("activity.html", document, {"before": before, "only": "", "newest": after, "rows": rows})

    async def stream(self, visit: Visit) -> Response:
        """The rows of what comes, as server-sent events, for as long as the caller has signed in."""
        access, request = visit.services.access, visit.request
        subscription = Subscription(
            visit.principal.id,
            await begin_of(request, self._feed),
            lambda each: _is_told(each.event.kind) and visit.sees(RepositoryName(each.event.repository)),
            partial(access.is_still, request),
            partial(self._frames, visit),
        )
        answer = EventStream(self._feed, self._settings, self._streams, subscription)
        answer.headers.update({**SECURITY, "Cache-Control": "no-store, private", "Vary": "Cookie"})
        return answer

    async def _frames(self, visit: Visit, events: Sequence[Recorded]) -> bytes:
        come = [pushes.overview_of(each) for each in events]
        before: Sequence[EventOverview] = ()
        if pushes.needs_context(come):
            metadata = visit.services.stores.metadata
            before = (await metadata.read_apart(overviews.events_before, come[0].id, pushes.CONTEXT))[::-1]
        rows = await self._documents(visit, pushes.told(come, before))
        return await asyncio.to_thread(_rendered, rows)

    async def _documents(self, visit: Visit, shown: Sequence[EventOverview]) -> list[dict[str, Any]]:
        tagged = [(each.repository, tag) for each in shown for tag in pushes.tags_of(each)]
        hidden = await visit.services.stores.metadata.read_apart(locks.unlisted, tagged) if tagged else set()
        return [await self._document(visit, each, hidden) for each in shown]

    async def _document(self, visit: Visit, each: EventOverview, hidden: Collection[tuple[str, str]]) -> dict[str, Any]:
        tags = [tag for tag in pushes.tags_of(each) if (each.repository, tag) not in hidden]
        verdict, exempt = await self._verdict(visit, each) if each.kind in _JUDGED else ("", False)
        return {
            "id": each.id,
            "time": each.time,
            "kind": each.kind,
            "repository": each.repository,
            "digest": each.digest,
            "tag": tags[0] if tags else "",
            "tags": tags,
            "by": each.by,
            "verdict": verdict,
            "exempt": exempt,
        }

    async def _verdict(self, visit: Visit, each: EventOverview) -> tuple[str, bool]:
        """As far as it is known, and whether an exemption counts; empty for what is not there any more."""
        await asyncio.sleep(0)  # a row at a time: other callers go on in between
        name, digest = RepositoryName(each.repository), Digest(each.digest)
        known = await self._gate.conclusion(name, digest, known=True)
        if known is not None:
            return known.state.value, bool(known.exemptions)
        row = await visit.services.stores.metadata.read(manifests.find, name, digest)
        return ("" if row is None else State.PENDING.value), False


def _shown_to(visit: Visit, found: Sequence[EventOverview]) -> list[EventOverview]:
    """Those that whoever has come may hear of."""
    return [each for each in found if _is_told(each.kind) and visit.sees(RepositoryName(each.repository))]


def _is_told(kind: str) -> bool:
    return not kind.startswith(_BLOBS)


def _rendered(rows: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(frame(row["id"], _ROW, render_part("event", row)) for row in rows)
