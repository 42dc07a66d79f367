"""The changes of one request to the tables, with their events, each as one transaction.

Each is a plain function of a connection; an exception rolls it back. Blobs are in the blob store before the rows that
name them. `still_there` is called inside the transaction, because garbage collection removes files inside one too: the
second of the two sees what the first did.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from registry.database.dialects import EVERYTHING
from registry.database.statement import heard_by_all, takes_room
from registry.metadata import (
    blobs,
    events,
    holds,
    locks,
    manifests,
    mirrored,
    push_lookup,
    reachability,
    repositories,
    small_blobs,
    tags,
    trash,
)
from registry.metadata.events import NOTHING_MORE, Event, Kind
from registry.metadata.manifests import Pushed
from registry.metadata.push_lookup import PushLookup
from registry.metadata.quota import over_quota
from registry.metadata.unknown_content import in_order, unknown_content
from registry.oci.digest import Digest
from registry.oci.errors import (
    BlobUnknown,
    Denied,
    ManifestUnknown,
    NameUnknown,
    Unavailable,
    Unsupported,
)
from registry.oci.manifest import Manifest
from registry.oci.names import RepositoryName, Tag

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChangeContext:
    """The repository, the caller, the time and the quota of a change.

    Attributes:
        repository: its name.
        principal: id of the caller, "" for the registry itself.
        now: seconds since the epoch.
        quota: bytes that the repository may hold, or `None`.
        cause: why it is made, for its events, where that is none of the usual: `import`, `mirror`, `restore`, …
    """

    repository: RepositoryName
    principal: str
    now: float
    quota: int | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """A manifest to record.

    Attributes:
        raw: its bytes, which `digest` names.
        blobs: what must be in the repository as blobs.
        children: what must be there as manifests.
        frozen: of the tags, those that must not move.
        members: what must be there as blobs or manifests: entries of an index with another media type.
        alongside: what is recorded together with it, given the id of its row.
        mirrored: whether it comes from the upstream of the repository; `None` where that has none.
    """

    digest: Digest
    raw: bytes
    manifest: Manifest
    tags: tuple[Tag, ...]
    blobs: Collection[Digest]
    children: Collection[Digest]
    frozen: Collection[Tag]
    members: Collection[Digest] = ()
    alongside: Callable[[Connection, int], None] | None = None
    mirrored: bool | None = None


@dataclass(frozen=True, slots=True)
class RemovedRepository:
    """What was removed with a repository."""

    manifests: tuple[Digest, ...] = ()
    tags: tuple[Tag, ...] = ()


@takes_room
def take_blob(  # noqa: PLR0913, PLR0917
    connection: Connection,
    at: ChangeContext,
    digest: Digest,
    size: int,
    still_there: Callable[[], bool],
    alongside: Callable[[Connection], None] | None = None,
) -> None:
    """Link an uploaded blob to its repository; `alongside` is changed with it.

    Raises:
        Locked: the repository is locked against writes.
        QuotaExceeded: the repository would hold more than its quota.
        Unavailable: the blob was collected between its upload and now.
    """
    _show(connection, at, digest, size)
    _require(still_there)  # behind the first answer of the database: before that other nodes may still write
    if alongside is not None:
        alongside(connection)


@takes_room
def take_small_blob(
    connection: Connection, at: ChangeContext, digest: Digest, content: bytes, write: Callable[[], T]
) -> T:
    """Put the bytes of a blob into the journal and link it to its repository.

    Args:
        connection: to write with.
        at: the context of the change.
        digest: the blob.
        content: its bytes.
        write: writes its file, which need not be durable; its result is returned.

    Raises:
        Locked: the repository is locked against writes.
        QuotaExceeded: the repository would hold more than its quota.
        Unavailable: the disk refuses the file.
    """
    _show(connection, at, digest, len(content))
    small_blobs.add(connection, digest, content)
    return write()


def _show(connection: Connection, at: ChangeContext, digest: Digest, size: int) -> None:
    repository_id = repositories.ensure_writable(connection, at.repository, at.now)
    blobs.link(connection, repository_id, digest, size, at.now)
    _within_quota(connection, at, repository_id)
    _record(connection, at, _event(at, Kind.BLOB_PUSHED, digest))


@takes_room
def mount_blob(connection: Connection, at: ChangeContext, digest: Digest, source: RepositoryName) -> bool:
    """Link a blob of another repository; `False` when the source does not hold it.

    Raises:
        Locked: the repository is locked against writes.
        QuotaExceeded: the repository would hold more than its quota.
    """
    size = blobs.size_of(connection, source, digest)
    if size is None:
        return False
    repository_id = repositories.ensure_writable(connection, at.repository, at.now)
    blobs.link(connection, repository_id, digest, size, at.now)
    _within_quota(connection, at, repository_id)
    _record(connection, at, _event(at, Kind.BLOB_MOUNTED, digest))
    return True


@heard_by_all
def drop_blob(connection: Connection, at: ChangeContext, digest: Digest) -> None:
    """Unlink a blob from a repository.

    Raises:
        BlobUnknown: the repository does not hold it.
        Locked: the repository is locked against deletes or writes.
        Unsupported: a manifest of the repository names the blob.
    """
    repository_id = repositories.find(connection, at.repository)
    if repository_id is not None:
        locks.require_unlocked(connection, repository_id, at.repository, (locks.REPOSITORY,), removes=True)
        trash.discard_link(connection, trash.deletion(at.now), repository_id, digest)
    if repository_id is None or not blobs.unlink(connection, repository_id, digest):
        raise BlobUnknown
    users = reachability.manifests_naming(connection, repository_id, digest, 1)
    if users:
        raise Unsupported(f"{digest} is part of manifest {users[0]}: delete that manifest first")
    _record(connection, at, _event(at, Kind.BLOB_DELETED, digest))


@takes_room
def record_manifest(connection: Connection, at: ChangeContext, change: ManifestChange) -> None:
    """Record a manifest, its bytes, its references and its tags.

    Raises:
        ManifestBlobUnknown: content it names is not in the repository.
        Denied: an immutable tag points elsewhere.
        Locked: the repository, or a tag that would move, is locked against writes.
        QuotaExceeded: the repository would hold more than its quota.
    """
    lookup = ground_of(connection, at, change)
    require_content(connection, lookup, change)
    require_writable(connection, at.repository, lookup, change)
    if lookup.repository_id < 0:
        lookup = PushLookup(repositories.ensure(connection, at.repository, at.now))
    pushed = Pushed(change.digest, change.raw, change.manifest, at.principal, at.now)
    row_id = manifests.put(connection, lookup.repository_id, pushed, lookup.manifest_id)
    if change.alongside is not None:
        change.alongside(connection, row_id)
    _within_quota(connection, at, lookup.repository_id)
    moved = _set_tags(connection, at, lookup, change)
    if change.mirrored is not None:
        mirrored.note_tags(connection, lookup.repository_id, change.tags, change.digest, at.now, change.mirrored)
    told = {"media_type": change.manifest.media_type, "size": len(change.raw), "tags": [*change.tags]}
    _record(connection, at, _event(at, Kind.MANIFEST_PUSHED, change.digest, "", told), *moved)


def ground_of(connection: Connection, at: ChangeContext, change: ManifestChange) -> PushLookup:
    """The state of the repository for this manifest and its first tag."""
    return push_lookup.find(connection, at.repository, change.digest, next(iter(change.tags), None), change.blobs)


def require_writable(
    connection: Connection, repository: RepositoryName, lookup: PushLookup, change: ManifestChange
) -> None:
    """Check that neither the repository nor a tag that would move is locked against writes.

    Raises:
        Locked: one of them is.
    """
    if lookup.locked:
        here = lookup.repository_id
        moving = [tag for tag in change.tags if tags.current(connection, here, tag) not in {None, change.digest}]
        locks.require_unlocked(connection, here, repository, (locks.REPOSITORY, *moving), removes=False)


def require_content(connection: Connection, lookup: PushLookup, change: ManifestChange) -> None:
    """Check that everything the manifest needs is in the repository.

    Raises:
        ManifestBlobUnknown: the message names what is missing.
    """
    if lookup.holds_blobs and not change.children and not change.members:
        return
    repository_id = lookup.repository_id
    missing = in_order(set(change.blobs) - blobs.present(connection, repository_id, change.blobs))
    missing += in_order(set(change.children) - manifests.present(connection, repository_id, change.children))
    members = set(change.members) - blobs.present(connection, repository_id, change.members)
    missing += in_order(members - manifests.present(connection, repository_id, members))
    if missing:
        raise unknown_content(missing, "which this repository does not hold: push it first")


def _moves(_tag: Tag) -> bool:
    """No tag is immutable."""
    return False


def drop_tag(connection: Connection, at: ChangeContext, tag: Tag, is_immutable: Callable[[Tag], bool] = _moves) -> None:
    """Remove a tag alone.

    Raises:
        Denied: it is immutable.
        Locked: it, or the repository, is locked against deletes or writes.
        NameUnknown: there is no such repository.
        ManifestUnknown: it has no such tag.
    """
    repository_id = _existing(connection, at)
    _require_none_immutable(connection, at, repository_id, filter(is_immutable, [tag]))
    locks.require_unlocked(connection, repository_id, at.repository, (locks.REPOSITORY, tag), removes=True)
    trash.discard_tag(connection, trash.deletion(at.now), repository_id, tag)
    digest = tags.current(connection, repository_id, tag)
    if digest is None or not tags.remove(connection, repository_id, tag):
        raise ManifestUnknown(f"{at.repository} has no tag {tag}")
    _record(connection, at, _event(at, Kind.TAG_DELETED, digest, tag))


@heard_by_all
def drop_manifest(
    connection: Connection, at: ChangeContext, digest: Digest, is_immutable: Callable[[Tag], bool] = _moves
) -> None:
    """Remove a manifest and every tag that points at it.

    Raises:
        Denied: such a tag is immutable.
        Locked: it, such a tag or the repository is locked against deletes or writes; or it is under a hold, or an index
            that names it is.
        NameUnknown: there is no such repository.
        ManifestUnknown: it has no such manifest.
    """
    repository_id = _existing(connection, at)
    holds.require_free(connection, at.repository, repository_id, digest)
    pointing = tags.pointing_at(connection, repository_id, digest)
    _require_none_immutable(connection, at, repository_id, filter(is_immutable, pointing))
    bearers = (locks.REPOSITORY, digest, *pointing)
    locks.require_unlocked(connection, repository_id, at.repository, bearers, removes=True)
    trash.discard_manifest(connection, trash.deletion(at.now), repository_id, digest)
    vanished = manifests.remove(connection, repository_id, digest)
    if vanished is None:
        raise ManifestUnknown(f"{at.repository} has no manifest {digest}")
    untagged = [_event(at, Kind.TAG_DELETED, digest, tag) for tag in vanished]
    _record(connection, at, *untagged, _event(at, Kind.MANIFEST_DELETED, digest))


@heard_by_all
def drop_repository(
    connection: Connection, at: ChangeContext, is_immutable: Callable[[Tag], bool] = _moves
) -> RemovedRepository:
    """Remove a repository with its tags, manifests and links to blobs; returns which.

    Raises:
        Denied: one of its tags is immutable.
        Locked: it, or anything in it, is locked against deletes or writes; or one of its manifests is under a hold.
        NameUnknown: there is no such repository.
    """
    repository_id, removed = repositories.find(connection, at.repository), RemovedRepository()
    if repository_id is not None:
        holds.require_all_free(connection, at.repository, repository_id)
        every = tags.page(connection, repository_id, "", EVERYTHING)
        _require_none_immutable(connection, at, repository_id, filter(is_immutable, every))
        locks.require_unlocked(
            connection, repository_id, at.repository, locks.bearers(connection, repository_id), removes=True
        )
        removed = RemovedRepository(tuple(manifests.all_of(connection, repository_id)), tuple(every))
    trash.discard_repository(connection, trash.deletion(at.now), at.repository)
    if not repositories.remove(connection, at.repository):
        raise NameUnknown(f"this registry holds no repository {at.repository}")
    _record(connection, at, _event(at, Kind.REPOSITORY_DELETED, ""))
    return removed


def _set_tags(connection: Connection, at: ChangeContext, lookup: PushLookup, change: ManifestChange) -> list[Event]:
    """Set the tags; returns an event for each that moved. `lookup` has what the first one points at."""
    moved = []
    for number, tag in enumerate(change.tags):
        before = tags.current(connection, lookup.repository_id, tag) if number else lookup.tagged
        if before == change.digest:
            continue
        if before is not None and tag in change.frozen:
            raise immutable(at.repository, tag, before)
        tags.point(connection, lookup.repository_id, tag, change.digest, at.now, is_new=before is None)
        moved.append(tag_set(at, tag, change.digest, before))
    return moved


def immutable(repository: RepositoryName, tag: Tag, digest: Digest) -> Denied:
    """The error for moving an immutable tag."""
    return Denied(
        f"tag {repository}:{tag} is immutable and points at {digest}: push under another tag",
        {"tag": tag, "digest": digest},
    )


def _require_none_immutable(
    connection: Connection, at: ChangeContext, repository_id: int, immutable_tags: Iterable[Tag]
) -> None:
    for tag in immutable_tags:
        digest = tags.current(connection, repository_id, tag)
        if digest is not None:
            raise Denied(
                f"tag {at.repository}:{tag} is immutable and keeps {digest}: take it out of the setting "
                "immutable_tags first",
                {"tag": tag, "digest": digest},
            )


def _existing(connection: Connection, at: ChangeContext) -> int:
    row_id = repositories.find(connection, at.repository)
    if row_id is None:
        raise NameUnknown(f"this registry holds no repository {at.repository}")
    return row_id


def _require(still_there: Callable[[], bool]) -> None:
    if not still_there():
        raise Unavailable("the content was garbage-collected before it was recorded: push it again")


def _within_quota(connection: Connection, at: ChangeContext, repository_id: int) -> None:
    if at.quota is not None and (size := repositories.bytes_held(connection, repository_id)) > at.quota:
        raise over_quota(at.repository, size, at.quota)


def _record(connection: Connection, at: ChangeContext, *happened: Event) -> None:
    events.record(connection, at.now, happened)


def tag_set(at: ChangeContext, tag: Tag, digest: Digest, before: Digest | None) -> Event:
    """The event of a tag that points at another manifest than `before`."""
    return _event(at, Kind.TAG_SET, digest, tag, {} if before is None else {"previous": before})


def _event(at: ChangeContext, kind: Kind, digest: str, tag: str = "", told: Mapping[str, Any] = NOTHING_MORE) -> Event:
    cause = {"cause": at.cause} if at.cause else {}
    return Event(kind, at.repository, digest, tag, at.principal, {**told, **cause})
