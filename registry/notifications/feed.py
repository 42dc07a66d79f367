"""The feed: events in their order, a page at a time, as far as a caller may see them."""

from collections.abc import Callable
from dataclasses import dataclass

from registry.config.events import EventSettings
from registry.metadata import events
from registry.metadata.events import Recorded
from registry.metadata.store import MetadataStore

Sees = Callable[[Recorded], bool]
"""Whether an event is wanted, and may be seen."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some events.

    Attributes:
        events: those that are seen, the oldest first.
        next: the cursor to go on from: everything up to it was looked at.
        more: whether others may follow at once.
        oldest: id of the oldest event that is kept; 0: there is none.
        newest: id of the newest event when the page was asked for: the cursor behind all that had happened.
    """

    events: tuple[Recorded, ...]
    next: int
    more: bool
    oldest: int
    newest: int


class Feed:
    """Reads events behind a cursor: the id of the last event that the reader has seen, 0 for none."""

    def __init__(self, metadata: MetadataStore, settings: Callable[[], EventSettings]) -> None:
        """`settings`: those in force."""
        self._metadata = metadata
        self._settings = settings

    async def page(self, after: int, count: int, sees: Sees, *, hidden: bool = False) -> FeedPage:
        """At most `count` events after a cursor. A page may be empty although others follow: then `more` is set.

        What is locked against lists is told with `hidden` only, as on the page of activity; the cursor goes past it.
        """
        settings = self._settings()
        count, left = min(count, settings.page), settings.looked_at
        seen: list[Recorded] = []
        ends = await self._metadata.read(events.ends)
        while count and left > 0:
            asked = min(settings.page, left)
            found = await self._metadata.read_apart(events.after_told, after, asked)
            for recorded in found:
                after = recorded.id
                if (hidden or not recorded.is_hidden) and sees(recorded):
                    seen.append(recorded)
                if len(seen) == count:
                    return FeedPage(tuple(seen), after, recorded is not found[-1] or len(found) == asked, *ends)
            left -= asked
            if len(found) < asked:
                return FeedPage(tuple(seen), after, False, *ends)
        return FeedPage(tuple(seen), after, bool(count), *ends)

    async def newest(self) -> int:
        """The cursor behind everything that has happened."""
        return (await self._metadata.read(events.ends))[1]

    def generation(self) -> int:
        """A number that changes when there may be a new event."""
        return self._metadata.generation()
