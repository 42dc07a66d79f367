"""Events: what changed, written in the same transaction as the change, with the history of tags.

Their ids rise in the order of commits: changes happen one after the other, those of other processes included. Whoever
has read all events up to an id therefore misses none by asking for those after it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, or_, select

from registry.database.statement import Statement
from registry.metadata import tag_history
from registry.metadata.tables import events, locks, principals, repositories

_ADD = Statement(insert(events), ("time", "kind", "repository", "digest", "tag", "principal", "details"))
_AFTER = (
    select(
        events.c.id,
        events.c.time,
        events.c.kind,
        events.c.repository,
        events.c.digest,
        events.c.tag,
        events.c.principal,
        func.coalesce(principals.c.name, ""),
        events.c.details,
    )
    .outerjoin(principals, principals.c.id == events.c.principal)
    .where(events.c.id > bindparam("after"))
    .order_by(events.c.id)
    .limit(bindparam("count"))
)
IS_HIDDEN = (
    exists()
    .where(
        repositories.c.name == events.c.repository,
        locks.c.repository_id == repositories.c.id,
        or_(locks.c.name == "", locks.c.name == events.c.tag, locks.c.name == events.c.digest),
        locks.c.lists,
    )
    .correlate(events)
)
"""Whether an event is about what is locked against lists: the repository, the tag or the manifest."""
_AFTER_TOLD = _AFTER.add_columns(IS_HIDDEN)
# Each by itself: SQLite finds one end at once, and reads everything for two.
_ENDS = Statement(
    select(
        select(func.min(events.c.id)).scalar_subquery(),
        select(func.max(events.c.id)).scalar_subquery(),
    )
)


class Kind(StrEnum):
    """What happened; packages on top have kinds of their own."""

    BLOB_PUSHED = "blob.pushed"
    BLOB_MOUNTED = "blob.mounted"
    BLOB_DELETED = "blob.deleted"
    MANIFEST_PUSHED = "manifest.pushed"
    MANIFEST_RESTORED = "manifest.restored"
    MANIFEST_DELETED = "manifest.deleted"
    TAG_SET = "tag.set"
    TAG_DELETED = "tag.deleted"
    REPOSITORY_DELETED = "repository.deleted"
    LOCKS_SET = "locks.set"


NOTHING_MORE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Event:
    """One change; fields that do not apply are "".

    Attributes:
        kind: one of `Kind`, or of a package on top.
        details: what else there is to say of it: JSON. Of a tag that is set, `previous` is what it pointed at before.
    """

    kind: str
    repository: str
    digest: str = ""
    tag: str = ""
    principal: str = ""
    details: Mapping[str, Any] = field(default_factory=lambda: NOTHING_MORE)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it was written.

    Attributes:
        id: rises from event to event; some numbers may be missing.
        time: seconds since the epoch.
        by: name of the principal; "" when it is unknown or gone.
        event: what happened.
        is_hidden: whether it is about what is locked against lists now, where that was asked for.
    """

    id: int
    time: float
    by: str
    event: Event
    is_hidden: bool = False


def record(connection: Connection, now: float, happened: Sequence[Event]) -> None:
    """Write the events of the time `now` (seconds since the epoch), in order, and what they change of tag history."""
    if happened:
        now = round(now, 6)  # as it is told in texts: what is read back from one is the same time
        _ADD.change_each(connection, [_row(event, now) for event in happened])
        for event in happened:
            _note(connection, now, event)


def _note(connection: Connection, now: float, event: Event) -> None:
    repository, tag, who = event.repository, event.tag, event.principal
    if event.kind == Kind.TAG_SET:
        is_new = "previous" not in event.details
        tag_history.note_set(connection, now, repository, tag, event.digest, who, is_new=is_new)
    elif event.kind == Kind.TAG_DELETED:
        tag_history.note_deleted(connection, now, repository, tag, who)
    elif event.kind == Kind.REPOSITORY_DELETED:
        tag_history.note_all_deleted(connection, now, repository, who)


def _row(event: Event, now: float) -> dict[str, Any]:
    return {
        "time": now,
        "kind": str(event.kind),
        "repository": event.repository,
        "digest": event.digest,
        "tag": event.tag,
        "principal": event.principal,
        "details": json.dumps(dict(event.details), separators=(",", ":")) if event.details else None,
    }


def after(connection: Connection, cursor: int, count: int) -> list[Recorded]:
    """At most `count` events with an id above `cursor`, the oldest first."""
    return [_recorded(row) for row in connection.execute(_AFTER, {"after": cursor, "count": count})]


def after_told(connection: Connection, cursor: int, count: int) -> list[Recorded]:
    """`after`, with what is hidden from lists marked."""
    rows = connection.execute(_AFTER_TOLD, {"after": cursor, "count": count})
    return [replace(_recorded(row), is_hidden=bool(row[9])) for row in rows]


def _recorded(row: Any) -> Recorded:
    return Recorded(row[0], row[1], row[7], Event(row[2], row[3], row[4], row[5], row[6], row[8] or {}))


def ends(connection: Connection) -> tuple[int, int]:
    """The ids of the oldest and the newest event; (0, 0) when there is none."""
    oldest, newest = _ENDS.first(connection, {})
    return oldest or 0, newest or 0


def forget_before(connection: Connection, time: float) -> int:
    """Remove the events before a time (seconds since the epoch); returns how many."""
    return connection.execute(delete(events).where(events.c.time < time)).rowcount
