"""Deleted manifests and tags in the trash, by repository, and restoring them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, and_, delete, exists, func, select

from registry.metadata import blobs, events, locks, manifests, repositories, tags
from registry.metadata.events import Event, Kind
from registry.metadata.manifests import Pushed
from registry.metadata.tables import manifests as manifest_rows
from registry.metadata.tables import repositories as repository_rows
from registry.metadata.tables import tags as tag_rows
from registry.metadata.tables import trash
from registry.metadata.transactions import ChangeContext, tag_set
from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown, Unsupported
from registry.oci.manifest import Manifest
from registry.oci.names import RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class DeletedManifest:
    """A manifest in the trash: its size in bytes, the tags deleted with it, and when (seconds since the epoch)."""

    digest: Digest
    media_type: str
    size: int
    tags: tuple[Tag, ...]
    deleted: float


@dataclass(frozen=True, slots=True)
class DeletedTag:
    """A tag in the trash, what it pointed at, and when it was deleted (seconds since the epoch)."""

    name: Tag
    digest: Digest
    deleted: float


@dataclass(frozen=True, slots=True)
class Returning:
    """A manifest to restore.

    Attributes:
        digest, media_type, principal: as in the trash.
        raw: its bytes.
        manifest: the parsed bytes.
        needed: what must be in the repository as blobs or manifests.
    """

    digest: Digest
    media_type: str
    principal: str
    raw: bytes
    manifest: Manifest
    needed: frozenset[Digest]


_THERE = (
    select(manifest_rows.c.digest)
    .join(repository_rows)
    .where(repository_rows.c.name == trash.c.repository, manifest_rows.c.digest == trash.c.digest)
)
_TAGGED = (
    select(tag_rows.c.digest)
    .join(repository_rows)
    .where(repository_rows.c.name == trash.c.repository, tag_rows.c.name == trash.c.tag)
)
_MANIFESTS = and_(trash.c.kind == "manifest", ~exists(_THERE))
_TAGS = and_(trash.c.kind == "tag", ~exists(_TAGGED))


def names(connection: Connection, after: str, count: int) -> list[RepositoryName]:
    """At most `count` repositories after `after` with a manifest or tag in the trash that is not in the repository."""
    either = (_MANIFESTS | _TAGS) & (trash.c.repository > after)
    rows = connection.execute(select(trash.c.repository).where(either).distinct().order_by(trash.c.repository))
    return [RepositoryName(name) for (name,) in rows.fetchmany(count)]


def manifests_of(connection: Connection, name: RepositoryName, after: str, count: int) -> list[DeletedManifest]:
    """At most `count` manifests after `after`, by digest, each as it was last deleted."""
    here = and_(_MANIFESTS, trash.c.repository == name, trash.c.digest > after)
    newest = select(func.max(trash.c.id)).where(here).group_by(trash.c.digest).order_by(trash.c.digest).limit(count)
    columns = (trash.c.digest, trash.c.media_type, trash.c.size, trash.c.time)
    rows = connection.execute(select(*columns).where(trash.c.id.in_(newest)).order_by(trash.c.digest)).all()
    return [
        DeletedManifest(Digest(digest), kind, size, _tags_of(connection, name, digest), time)
        for digest, kind, size, time in rows
    ]


def tags_of(connection: Connection, name: RepositoryName, after: int, count: int) -> list[tuple[int, DeletedTag]]:
    """At most `count` tags with their numbers, after the number `after`, in order of deletion."""
    here = and_(_TAGS, trash.c.repository == name, trash.c.id > after)
    columns = (trash.c.id, trash.c.tag, trash.c.digest, trash.c.time)
    rows = connection.execute(select(*columns).where(here).order_by(trash.c.id).limit(count))
    return [(number, DeletedTag(Tag(tag), Digest(digest), time)) for number, tag, digest, time in rows]


def find(connection: Connection, name: RepositoryName, digest: Digest) -> tuple[str, str, int, bytes | None] | None:
    """Media type, pusher's id, size and bytes of a manifest in the trash; no bytes if they are in the blob store."""
    columns = (trash.c.media_type, trash.c.principal, trash.c.size, trash.c.content)
    here = (trash.c.kind == "manifest") & (trash.c.repository == name) & (trash.c.digest == digest)
    row = connection.execute(select(*columns).where(here).order_by(trash.c.id.desc()).limit(1)).first()
    return None if row is None else (row[0], row[1], row[2], row[3])


def links(connection: Connection, name: RepositoryName, digests: Collection[Digest]) -> set[Digest]:
    """Those of the blobs whose link to the repository is in the trash and not in the repository."""
    here = repositories.find(connection, name)
    missing = set(digests) if here is None else set(digests) - blobs.present(connection, here, digests)
    rows = select(trash.c.digest).where(trash.c.kind == "link", trash.c.repository == name)
    return {Digest(digest) for (digest,) in connection.execute(rows.distinct())} & missing


def bring_back(
    connection: Connection, at: ChangeContext, returning: Iterable[Returning], sizes: dict[Digest, int]
) -> None:
    """Restore manifests, dependencies first, with the blobs of these sizes that were in the trash.

    Raises:
        Locked: the repository is locked against writes.
        ManifestUnknown: something that one of them names is missing.
    """
    here = repositories.ensure_writable(connection, at.repository, at.now)
    for digest, size in sizes.items():
        blobs.link(connection, here, digest, size, at.now)
    for item in returning:
        _require_parts(connection, here, item)
        if not manifests.present(connection, here, [item.digest]):
            pushed = Pushed(item.digest, item.raw, item.manifest, item.principal, at.now)
            manifests.put(connection, here, pushed, None)
            told = {"media_type": item.media_type, "size": len(item.raw)}
            back = Event(Kind.MANIFEST_RESTORED, at.repository, item.digest, "", at.principal, told)
            events.record(connection, at.now, [back])
        _forget(connection, at.repository, "manifest", item.digest)
    for digest in sizes:
        _forget(connection, at.repository, "link", digest)


def tag_again(connection: Connection, at: ChangeContext, tag: Tag, digest: Digest, *, force: bool) -> None:
    """Point a tag at an existing manifest; a tag that points elsewhere moves only with `force`.

    Raises:
        Unsupported: it points elsewhere now.
        Locked: it, or the repository, is locked against writes.
    """
    here = repositories.ensure_writable(connection, at.repository, at.now)
    before = tags.current(connection, here, tag)
    if before not in {None, digest}:
        if not force:
            raise Unsupported(
                f"tag {at.repository}:{tag} points at {before} by now: restore with force to have it point at {digest}",
                {"tag": tag, "digest": before},
            )
        locks.require_unlocked(connection, here, at.repository, (tag,), removes=False)
    if before != digest:
        tags.point(connection, here, tag, digest, at.now, is_new=before is None)
        events.record(connection, at.now, [tag_set(replace(at, cause="restore"), tag, digest, before)])
    gone = (trash.c.kind == "tag") & (trash.c.repository == at.repository) & (trash.c.tag == tag)
    connection.execute(delete(trash).where(gone, trash.c.digest == digest))


def _require_parts(connection: Connection, here: int, item: Returning) -> None:
    missing = item.needed - blobs.present(connection, here, item.needed)
    missing -= manifests.present(connection, here, missing)
    if missing:
        raise ManifestUnknown(
            f"{item.digest} cannot come back: {min(missing)}, which it names, is not in the trash any more",
            {"digest": item.digest},
        )


def _tags_of(connection: Connection, name: RepositoryName, digest: str) -> tuple[Tag, ...]:
    here = and_(_TAGS, trash.c.repository == name, trash.c.digest == digest)
    rows = connection.execute(select(trash.c.tag).where(here).distinct().order_by(trash.c.tag))
    return tuple(Tag(tag) for (tag,) in rows)


def _forget(connection: Connection, name: RepositoryName, kind: str, digest: Digest) -> None:
    here = (trash.c.kind == kind) & (trash.c.repository == name) & (trash.c.digest == digest)
    connection.execute(delete(trash).where(here))
