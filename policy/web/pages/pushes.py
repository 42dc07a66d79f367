"""A push is one thing for people: one row of activity, which has its tags and its verdict."""

from collections.abc import Sequence
from typing import Any

from policy.enforcement.verdict_events import PUSH, VERDICT_SET
from registry.metadata.events import Kind, Recorded
from registry.metadata.overviews import EventOverview

CONTEXT = 20
"""Events before others in which their push is looked for: it is written just before the tags that it sets."""
_TAGS = 20


def told(events: Sequence[EventOverview], before: Sequence[EventOverview] = ()) -> list[EventOverview]:
    """Events without those that the row of their push says already: the tags that it set, and the first verdict.

    Args:
        events: the oldest first.
        before: events just before these, the oldest first.
    """
    push, left = None, list[EventOverview]()
    for number, each in enumerate([*before, *events]):
        if each.kind == Kind.MANIFEST_PUSHED:
            push = each
        elif _is_first_verdict(each) or (push is not None and _is_part_of(push, each)):
            continue
        if number >= len(before):
            left.append(each)
    return left


def needs_context(events: Sequence[EventOverview]) -> bool:
    """Whether the push of the first event may be before it."""
    return bool(events) and events[0].kind == Kind.TAG_SET


def tags_of(event: EventOverview) -> list[str]:
    """The tags that an event is about."""
    if event.kind == Kind.MANIFEST_PUSHED:
        return [str(tag) for tag in event.details.get("tags", ())[:_TAGS]]
    return [event.tag] if event.tag else []


def overview_of(each: Recorded) -> EventOverview:
    """An event of the feed as pages show it."""
    event, by = each.event, each.by or each.event.principal
    return EventOverview(
        each.id, each.time, event.kind, event.repository, event.digest, event.tag, by, dict[str, Any](event.details)
    )


def _is_first_verdict(each: EventOverview) -> bool:
    return each.kind == VERDICT_SET and each.details.get("cause") == PUSH


def _is_part_of(push: EventOverview, each: EventOverview) -> bool:
    """Whether it is of the same transaction: all its events have one time."""
    return (
        each.kind == Kind.TAG_SET
        and (each.time, each.repository, each.digest) == (push.time, push.repository, push.digest)
        and each.tag in push.details.get("tags", ())
    )
