"""Pushes as they come: the registry's events, a page after the other."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policy.client.api import CheckNotPossible, Connection, ask
from registry.oci.timestamp import seconds_of

EVENTS = "/policy/v1/events"
PAUSE_SECONDS = 1.0
_PUSHED = "manifest.pushed"
_PAGE = 100


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
    """The number of the newest event; 0 when there is none."""
    return int(_page(connection, 0, 0)["newest"])


def pushes(connection: Connection, after: int, ends: float) -> Iterator[Pushed]:
    """Each push after the event `after`, until the monotonic time `ends`."""
    while True:
        page = _page(connection, after, _PAGE)
        after = int(page["next"])
        for event in page["events"]:
            yield from _pushes_of(event)
        left = ends - time.monotonic()
        if page["more"]:
            continue
        if left <= 0:
            return
        time.sleep(min(PAUSE_SECONDS, left))


def _pushes_of(event: Mapping[str, Any]) -> Iterator[Pushed]:
    """One for each tag that the push has set, or one without."""
    for tag in event.get("details", {}).get("tags") or [""]:
        yield Pushed(
            int(event["id"]),
            seconds_of(event["time"])[0],
            event["repository"],
            tag,
            event["digest"],
            event.get("actor", {}).get("name", ""),
        )


def _page(connection: Connection, after: int, count: int) -> Mapping[str, Any]:
    document = ask(connection, "GET", f"{EVENTS}?kind={_PUSHED}&after={after}&n={count}")
    if not isinstance(document.get("events"), list) or "newest" not in document:
        raise CheckNotPossible(f"{connection.host} does not tell its events: does basegate run there?")
    return document
