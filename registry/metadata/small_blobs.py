"""The journal of small blobs: their bytes, kept beside their other rows until their files are durable."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select

from registry.database.statement import Statement
from registry.metadata.many_digests import batches
from registry.metadata.tables import fresh_blobs
from registry.oci.digest import Digest

_ADD = Statement(insert(fresh_blobs), ("digest", "content"))
_NEWEST = select(func.max(fresh_blobs.c.id))
_BEHIND = (
    select(fresh_blobs.c.id, fresh_blobs.c.digest, fresh_blobs.c.content)
    .where(fresh_blobs.c.id > bindparam("after"), fresh_blobs.c.id <= bindparam("upto"))
    .order_by(fresh_blobs.c.id)
    .limit(bindparam("count"))
)
_OLDEST = (
    select(fresh_blobs.c.id)
    .where(fresh_blobs.c.id <= bindparam("upto"))
    .order_by(fresh_blobs.c.id)
    .limit(bindparam("count"))
)
_FORGET = delete(fresh_blobs).where(fresh_blobs.c.id.in_(_OLDEST))
_digests: BindParameter[list[str]] = bindparam("digests", expanding=True)
_FORGET_NAMED = delete(fresh_blobs).where(fresh_blobs.c.digest.in_(_digests))


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry of the journal; a blob may have several."""

    id: int
    digest: Digest
    content: bytes


def add(connection: Connection, digest: Digest, content: bytes) -> None:
    """Add the bytes of a blob under a higher id than any before."""
    _ADD.apply(connection, {"digest": digest, "content": content})


def newest(connection: Connection) -> int:
    """The highest id, or 0 when the journal is empty."""
    return connection.execute(_NEWEST).scalar() or 0


def behind(connection: Connection, after: int, upto: int, count: int) -> list[JournalEntry]:
    """At most `count` entries with ids above `after` and up to `upto`, in their order."""
    rows = connection.execute(_BEHIND, {"after": after, "upto": upto, "count": count})
    return [JournalEntry(row[0], Digest(row[1]), row[2]) for row in rows]


def forget(connection: Connection, upto: int, count: int) -> int:
    """Remove at most `count` entries, the oldest, with ids up to `upto`; returns how many."""
    return connection.execute(_FORGET, {"upto": upto, "count": count}).rowcount


def forget_named(connection: Connection, digests: Collection[Digest]) -> None:
    """Remove all entries of these blobs."""
    for some in batches(digests):
        connection.execute(_FORGET_NAMED, {"digests": some})
