"""Events: what changed, written in the same transaction as the change."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert

from registry.database.statement import Statement
from registry.metadata.tables import events

_ADD = Statement(insert(events), ("time", "kind", "repository", "digest", "tag", "principal"))


class Kind(StrEnum):
    """What happened."""

    BLOB_PUSHED = "blob.pushed"
    BLOB_MOUNTED = "blob.mounted"
    BLOB_DELETED = "blob.deleted"
    MANIFEST_PUSHED = "manifest.pushed"
    MANIFEST_DELETED = "manifest.deleted"
    TAG_SET = "tag.set"
    TAG_DELETED = "tag.deleted"
    REPOSITORY_DELETED = "repository.deleted"
    LOCKS_SET = "locks.set"


@dataclass(frozen=True, slots=True)
class Event:
    """One change; fields that do not apply are ""."""

    kind: Kind
    repository: str
    digest: str = ""
    tag: str = ""
    principal: str = ""


def record(connection: Connection, now: float, happened: Sequence[Event]) -> None:
    """Write the events of the time `now` (seconds since the epoch), in order."""
    if happened:
        _ADD.change_each(connection, [_row(event, now) for event in happened])


def _row(event: Event, now: float) -> dict[str, Any]:
    return {
        "time": now,
        "kind": event.kind.value,
        "repository": event.repository,
        "digest": event.digest,
        "tag": event.tag,
        "principal": event.principal,
    }


def forget_before(connection: Connection, time: float) -> int:
    """Remove the events before a time (seconds since the epoch); returns how many."""
    return connection.execute(delete(events).where(events.c.time < time)).rowcount
