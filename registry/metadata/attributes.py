"""Attributes of repositories, tags and manifests, page by page."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from registry.database.dialects import greatest
from registry.metadata import locks as lock_rows
from registry.metadata import repositories as repository_rows
from registry.metadata.locks import Locks
from registry.metadata.tables import locks, manifest_references, manifests, repositories, tags
from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown, NameUnknown
from registry.oci.names import RepositoryName, Tag


class Order(StrEnum):
    """The order of a list."""

    NAME = "name"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class PageStart:
    """Where a page begins: after an entry, and, in a list ordered by time, the time of its last change."""

    order: Order = Order.NAME
    last: str = ""
    updated: float | None = None


@dataclass(frozen=True, slots=True)
class RepositoryAttributes:
    """A repository; times in seconds since the epoch; `updated`: the last change of anything in it."""

    name: RepositoryName
    created: float
    updated: float
    manifests: int
    tags: int
    locks: Locks


@dataclass(frozen=True, slots=True)
class TagAttributes:
    """A tag, and what it points at."""

    name: Tag
    digest: Digest
    created: float
    updated: float
    locks: Locks


@dataclass(frozen=True, slots=True)
class ManifestAttributes:
    """A manifest.

    Attributes:
        size: bytes of the manifest, its configuration and its layers; of an index those of the index alone.
        created: its first push.
        updated: its last push, or change of locks.
        config: the blob that is its configuration, `None` for an index.
        tags: the tags that point at it and are not locked against lists.
    """

    digest: Digest
    media_type: str
    size: int
    created: float
    updated: float
    config: Digest | None
    config_media_type: str
    tags: tuple[Tag, ...]
    locks: Locks


_LOCKS = (locks.c.deletes, locks.c.writes, locks.c.reads, locks.c.lists, locks.c.changed)
_CHANGED = func.coalesce(locks.c.changed, 0.0)
_TAG_UPDATED = greatest(tags.c.updated, _CHANGED)
_TAGS = select(tags.c.name, tags.c.digest, tags.c.created, _TAG_UPDATED.label("updated"), *_LOCKS).outerjoin(
    locks, and_(locks.c.repository_id == tags.c.repository_id, locks.c.name == tags.c.name)
)
_PARTS = (
    select(func.coalesce(func.sum(manifest_references.c.size), 0))
    .where(manifest_references.c.manifest_id == manifests.c.id, manifest_references.c.kind.in_(["config", "layer"]))
    .scalar_subquery()
)
_CONFIG = (
    select(manifest_references.c.digest)
    .where(
        manifest_references.c.manifest_id == manifests.c.id,
        manifest_references.c.position == 0,
        manifest_references.c.kind == "config",
    )
    .scalar_subquery()
)
_MANIFEST_UPDATED = greatest(manifests.c.pushed, _CHANGED)
_MANIFESTS = select(
    manifests.c.digest,
    manifests.c.media_type,
    manifests.c.size + _PARTS,
    func.coalesce(manifests.c.created, manifests.c.pushed),
    _MANIFEST_UPDATED.label("updated"),
    _CONFIG,
    manifests.c.config_media_type,
    *_LOCKS,
).outerjoin(locks, and_(locks.c.repository_id == manifests.c.repository_id, locks.c.name == manifests.c.digest))


def repository(connection: Connection, name: RepositoryName) -> RepositoryAttributes:
    """One repository. Raises NameUnknown."""
    here = id_of(connection, name)

    def scalar(query: Select[Any]) -> Any:
        return connection.execute(query).scalar_one()

    created = scalar(select(repositories.c.created).where(repositories.c.id == here))
    lock = lock_rows.find(connection, here, lock_rows.REPOSITORY)
    pushed = scalar(select(func.max(manifests.c.pushed)).where(manifests.c.repository_id == here))
    moved = scalar(select(func.max(tags.c.updated)).where(tags.c.repository_id == here))
    return RepositoryAttributes(
        name,
        created,
        max(created, pushed or 0.0, moved or 0.0, lock.changed),
        scalar(select(func.count()).where(manifests.c.repository_id == here)),
        scalar(select(func.count()).where(tags.c.repository_id == here)),
        lock,
    )


def tag_page(
    connection: Connection, name: RepositoryName, start: PageStart, count: int, digest: Digest | None = None
) -> list[TagAttributes]:
    """At most `count` tags after a start, without those locked against lists; with a digest, those of one manifest.

    Raises:
        NameUnknown: there is no such repository.
    """
    here = id_of(connection, name)
    listed = _TAGS.where(tags.c.repository_id == here, ~func.coalesce(locks.c.lists, False))
    if digest is not None:
        listed = listed.where(tags.c.digest == digest)
    rows = connection.execute(_paged(listed, tags.c.name, _TAG_UPDATED, start).limit(count))
    return [_tag(row) for row in rows]


def tag(connection: Connection, name: RepositoryName, wanted: Tag) -> TagAttributes:
    """One tag, locked against lists or not. Raises NameUnknown or ManifestUnknown."""
    here = id_of(connection, name)
    row = connection.execute(_TAGS.where(tags.c.repository_id == here, tags.c.name == wanted)).first()
    if row is None:
        raise ManifestUnknown(f"the specified tag does not exist: {name} has no tag {wanted}", {"name": wanted})
    return _tag(row)


def manifest_page(
    connection: Connection, name: RepositoryName, start: PageStart, count: int
) -> list[ManifestAttributes]:
    """At most `count` manifests after a start, without those locked against lists; their names are digests.

    Raises:
        NameUnknown: there is no such repository.
    """
    here = id_of(connection, name)
    listed = _MANIFESTS.where(manifests.c.repository_id == here, ~func.coalesce(locks.c.lists, False))
    paged = _paged(listed, manifests.c.digest, _MANIFEST_UPDATED, start).limit(count)
    return [_manifest(connection, here, row) for row in connection.execute(paged).all()]


def manifest(connection: Connection, name: RepositoryName, digest: Digest) -> ManifestAttributes:
    """One manifest, locked against lists or not. Raises NameUnknown or ManifestUnknown."""
    here = id_of(connection, name)
    question = _MANIFESTS.where(manifests.c.repository_id == here, manifests.c.digest == digest)
    row = connection.execute(question).first()
    if row is None:
        raise ManifestUnknown(f"manifest unknown: {name} has no manifest {digest}", {"digest": digest})
    return _manifest(connection, here, row)


def id_of(connection: Connection, name: RepositoryName) -> int:
    """The repository's row id. Raises NameUnknown."""
    row_id = repository_rows.find(connection, name)
    if row_id is None:
        raise NameUnknown(f"repository name not known to registry: it holds no {name}", {"name": name})
    return row_id


def _paged(
    question: Select[Any], name: ColumnElement[Any], updated: ColumnElement[Any], start: PageStart
) -> Select[Any]:
    """The entries of a page in order; entries of equal time are ordered by name."""
    if start.order is Order.NAME:
        return question.where(name > start.last).order_by(name)
    falls = start.order is Order.NEWEST
    if start.updated is not None:
        behind = updated < start.updated if falls else updated > start.updated
        question = question.where(or_(behind, and_(updated == start.updated, name > start.last)))
    return question.order_by(updated.desc() if falls else updated, name)


def _tag(row: Any) -> TagAttributes:
    return TagAttributes(Tag(row[0]), Digest(row[1]), row[2], row[3], _locks(row[4:]))


def _manifest(connection: Connection, here: int, row: Any) -> ManifestAttributes:
    pointing = (
        select(tags.c.name)
        .where(
            tags.c.repository_id == here,
            tags.c.digest == row[0],
            lock_rows.listed(tags.c.repository_id, tags.c.name),
        )
        .order_by(tags.c.name)
    )
    names = tuple(Tag(name) for (name,) in connection.execute(pointing))
    config = None if row[5] is None else Digest(row[5])
    return ManifestAttributes(Digest(row[0]), row[1], row[2], row[3], row[4], config, row[6], names, _locks(row[7:]))


def _locks(values: Any) -> Locks:
    return lock_rows.OPEN if values[0] is None else lock_rows.of_row(values)
