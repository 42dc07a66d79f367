"""Events: what changed, written in the same transaction as the change."""

from enum import StrEnum

from sqlalchemy import Connection, delete, insert

from registry.metadata.tables import events


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


def record(  # noqa: PLR0913
    connection: Connection,
    kind: Kind,
    now: float,
    *,
    repository: str,
    digest: str = "",
    tag: str = "",
    principal: str = "",
) -> None:
    """Write one event; `now` in seconds since the epoch, `principal` an id or ""."""
    row = {"time": now, "kind": kind.value, "repository": repository, "digest": digest, "tag": tag}
    connection.execute(insert(events), row | {"principal": principal})


def forget_before(connection: Connection, time: float) -> int:
    """Remove the events before a time (seconds since the epoch); returns how many."""
    return connection.execute(delete(events).where(events.c.time < time)).rowcount
