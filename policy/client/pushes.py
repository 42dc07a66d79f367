"""Pushes as they come: the registry's activity, asked again and again."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policy.client.api import CheckNotPossible, Connection, ask

ACTIVITY = "/activity.json"
PAUSE_SECONDS = 1.0
_PUSHED, _TAGGED = "manifest.pushed", "tag.set"


@dataclass(frozen=True, slots=True)
class Pushed:
    """One push.

    Attributes:
        number: of its event; later pushes have higher ones.
        time: seconds since the epoch.
        repository: where.
        tag: "" for a push by digest alone.
        digest: of the manifest.
        by: the name of the principal.
    """

    number: int
    time: float
    repository: str
    tag: str
    digest: str
    by: str


def newest(connection: Connection) -> int:
    """The number of the newest event that the caller may see; 0 when there is none."""
    events = _page(connection, "")["events"]
    return int(events[0]["id"]) if events else 0


def pushes(connection: Connection, after: int, ends: float) -> Iterator[Pushed]:
    """Each push after the event `after`, until the monotonic time `ends`."""
    while True:
        found = _since(connection, after)
        after = max([after, *(int(event["id"]) for event in found)])
        yield from _pushes_of(found)
        left = ends - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(PAUSE_SECONDS, left))


def _since(connection: Connection, after: int) -> list[Mapping[str, Any]]:
    """The events after one, the oldest first."""
    found: list[Mapping[str, Any]] = []
    before = ""
    while True:
        page = _page(connection, before)
        fresh = [event for event in page["events"] if int(event["id"]) > after]
        found += fresh
        before = str(page["next"])
        if not before or int(before) <= after or len(fresh) < len(page["events"]):
            return found[::-1]


def _pushes_of(events: list[Mapping[str, Any]]) -> Iterator[Pushed]:
    """A push has an event of its manifest, and one for each tag that it moves; these say the same with a name."""
    tagged = {(event["repository"], event["digest"]) for event in events if event["kind"] == _TAGGED}
    for event in events:
        alone = event["kind"] == _PUSHED and (event["repository"], event["digest"]) not in tagged
        if event["kind"] == _TAGGED or alone:
            yield Pushed(
                int(event["id"]), event["time"], event["repository"], event["tag"], event["digest"], event["by"]
            )


def _page(connection: Connection, before: str) -> Mapping[str, Any]:
    document = ask(connection, "GET", f"{ACTIVITY}?before={before}" if before else ACTIVITY)
    if not isinstance(document.get("events"), list):
        raise CheckNotPossible(f"{connection.host} does not tell its activity: is web.enabled on there?")
    return document
