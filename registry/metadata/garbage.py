"""Unreferenced content: the queries and removals of garbage collection, as functions of a connection."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, exists, or_, select

from registry.metadata import events, locks, manifests, small_blobs, tag_history, trash
from registry.metadata.blobs import BLOBS_REMOVED
from registry.metadata.events import Event, Kind
from registry.metadata.many_digests import batches
from registry.metadata.tables import holds, manifest_references, repositories, repository_blobs, tags
from registry.metadata.tables import manifests as manifest_rows
from registry.metadata.trash import Removal
from registry.oci.digest import Digest

_parent = manifest_rows.alias("subjects")
_named = repositories.alias("named")
_NAMED_BY_MANIFEST = exists().where(
    manifest_references.c.repository_id == repository_blobs.c.repository_id,
    manifest_references.c.digest == repository_blobs.c.digest,
)
_STALE = and_(repository_blobs.c.created < bindparam("before"), ~_NAMED_BY_MANIFEST)
_STALE_LINKS = (
    select(repository_blobs.c.repository_id, repository_blobs.c.digest)
    .where(
        or_(
            repository_blobs.c.repository_id > bindparam("repository"),
            and_(
                repository_blobs.c.repository_id == bindparam("repository"),
                repository_blobs.c.digest > bindparam("after"),
            ),
        ),
        _STALE,
    )
    .order_by(repository_blobs.c.repository_id, repository_blobs.c.digest)
    .limit(bindparam("count"))
)
_STILL_STALE = select(repository_blobs.c.digest).where(
    repository_blobs.c.repository_id == bindparam("repository"),
    repository_blobs.c.digest == bindparam("named"),
    _STALE,
)
_DROP_LINK = delete(repository_blobs).where(
    repository_blobs.c.repository_id == bindparam("repository"),
    repository_blobs.c.digest == bindparam("named"),
    _STALE,
)
_NAME_OF = (
    select(_named.c.name).where(_named.c.id == manifest_rows.c.repository_id).correlate(manifest_rows).scalar_subquery()
)
_LOOSE = and_(
    manifest_rows.c.pushed < bindparam("before"),
    ~exists().where(tags.c.repository_id == manifest_rows.c.repository_id, tags.c.digest == manifest_rows.c.digest),
    ~exists().where(
        manifest_references.c.repository_id == manifest_rows.c.repository_id,
        manifest_references.c.digest == manifest_rows.c.digest,
    ),
    ~exists().where(
        _parent.c.repository_id == manifest_rows.c.repository_id, _parent.c.digest == manifest_rows.c.subject
    ),
    ~exists().where(holds.c.repository_id == manifest_rows.c.repository_id, holds.c.digest == manifest_rows.c.digest),
    ~tag_history.kept_since(_NAME_OF, manifest_rows.c.digest, bindparam("since")),
    locks.removable(manifest_rows.c.repository_id, manifest_rows.c.digest),
)
_LOOSE_MANIFESTS = (
    select(manifest_rows.c.id, manifest_rows.c.repository_id, manifest_rows.c.digest, repositories.c.name)
    .join(repositories)
    .where(manifest_rows.c.id > bindparam("after"), _LOOSE)
    .order_by(manifest_rows.c.id)
    .limit(bindparam("count"))
)
_STILL_LOOSE = select(manifest_rows.c.id).where(manifest_rows.c.id == bindparam("row"), _LOOSE)
_digests: BindParameter[list[str]] = bindparam("digests", expanding=True)
_LINKED = select(repository_blobs.c.digest).where(repository_blobs.c.digest.in_(_digests))
_LINKED_FIRMLY = _LINKED.where(~_STALE)
_RECORDED = select(manifest_rows.c.digest).where(manifest_rows.c.digest.in_(_digests))


@dataclass(frozen=True, slots=True)
class StaleLink:
    """A repository's link to a blob that none of its manifests names."""

    repository_id: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class LooseManifest:
    """A manifest without a tag, a hold, an index that names it, and a subject that exists."""

    id: int
    repository_id: int
    digest: Digest
    repository: str


def stale_links(connection: Connection, after: StaleLink | None, before: float, count: int) -> list[StaleLink]:
    """At most `count` stale links after `after`, made before a time (seconds since the epoch)."""
    place = {"repository": after.repository_id if after else -1, "after": after.digest if after else ""}
    rows = connection.execute(_STALE_LINKS, place | {"before": before, "count": count})
    return [StaleLink(row[0], Digest(row[1])) for row in rows]


def drop_links(connection: Connection, links: Sequence[StaleLink], before: float, removal: Removal) -> int:
    """Remove the links that are still stale; returns how many."""
    connection.info[BLOBS_REMOVED] = True
    for link in links:
        values = {"repository": link.repository_id, "named": link.digest, "before": before}
        if connection.execute(_STILL_STALE, values).first() is not None:
            trash.discard_link(connection, removal, link.repository_id, link.digest)
    return sum(
        connection.execute(
            _DROP_LINK, {"repository": link.repository_id, "named": link.digest, "before": before}
        ).rowcount
        for link in links
    )


@dataclass(frozen=True, slots=True)
class Untagged:
    """Which manifests have been loose for long enough: two times, in seconds since the epoch.

    Attributes:
        before: when they were pushed at the latest.
        since: a tag that has left a manifest since then keeps it.
    """

    before: float
    since: float


def loose_manifests(connection: Connection, after: int, old: Untagged, count: int) -> list[LooseManifest]:
    """At most `count` loose manifests with an id above `after`."""
    rows = connection.execute(
        _LOOSE_MANIFESTS, {"after": after, "before": old.before, "since": old.since, "count": count}
    )
    return [LooseManifest(row[0], row[1], Digest(row[2]), row[3]) for row in rows]


def drop_loose(connection: Connection, loose: Sequence[LooseManifest], old: Untagged, removal: Removal) -> int:
    """Remove the manifests that are still loose, with an event each; returns how many."""
    gone = [
        item
        for item in loose
        if connection.execute(_STILL_LOOSE, {"row": item.id, "before": old.before, "since": old.since}).first()
    ]
    for item in gone:
        trash.discard_manifest(connection, removal, item.repository_id, item.digest)
        manifests.remove(connection, item.repository_id, item.digest)
    events.record(
        connection, removal.now, [Event(Kind.MANIFEST_DELETED, item.repository, item.digest) for item in gone]
    )
    return len(gone)


def referenced(connection: Connection, digests: Collection[Digest], stale_before: float | None = None) -> set[Digest]:
    """Those of the digests that any repository holds, as blob or as manifest.

    With `stale_before`, links that were stale before that time are ignored: they are about to be removed.
    """
    used: set[Digest] = set()
    for some in batches(digests):
        values = {"digests": some}
        linked = _LINKED if stale_before is None else _LINKED_FIRMLY
        bound = values if stale_before is None else values | {"before": stale_before}
        used.update(Digest(digest) for (digest,) in connection.execute(linked, bound))
        used.update(Digest(digest) for (digest,) in connection.execute(_RECORDED, values))
    return used


def remove_unreferenced(
    connection: Connection, sizes: Mapping[Digest, int], remove: Callable[[Digest], bool], removal: Removal
) -> list[Digest]:
    """Call `remove`, inside the transaction, for the blobs (with their sizes) that no repository holds.

    Returns the blobs that `remove` has removed; their journal entries are removed as well.
    """
    kept = referenced(connection, sizes)
    removed = [digest for digest in sizes if digest not in kept and remove(digest)]
    for digest in removed:
        trash.discard_blob(connection, removal, digest, sizes[digest])
    small_blobs.forget_named(connection, removed)
    return removed


def drop_file(connection: Connection, digest: Digest, remove: Callable[[Digest], bool]) -> bool:
    """Call `remove` for a blob that could not be recorded, unless a repository holds it; returns whether it went."""
    return not referenced(connection, [digest]) and remove(digest)
