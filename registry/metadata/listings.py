"""What administrators are shown of repositories, tags and manifests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from registry.metadata import last_pulls, locks, principals
from registry.metadata import repositories as repository_rows
from registry.metadata import tags as tag_rows
from registry.metadata.last_pulls import Puller
from registry.metadata.tables import manifest_references, manifests, repositories, repository_blobs, tags
from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown, NameUnknown
from registry.oci.names import Reference, RepositoryName, Tag

_PULLERS = 100


@dataclass(frozen=True, slots=True)
class RepositoryCard:
    """A repository in numbers; times in seconds since the epoch, sizes in bytes."""

    name: RepositoryName
    created: float
    tags: int
    manifests: int
    blobs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TagCard:
    """A tag and what it points at.

    `pulled`: its last pull, `None` when it was not pulled since that is recorded; `locked`: against moves or deletes.
    """

    name: Tag
    digest: Digest
    created: float
    updated: float
    pulled: float | None
    locked: bool


@dataclass(frozen=True, slots=True)
class ReferenceCard:
    """A descriptor within a manifest; `kind` is config, layer, child or blob."""

    kind: str
    digest: Digest
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class ManifestCard:
    """A manifest, its tags and what it refers to; `pulled`: who pulled it, the latest first, 100 at most."""

    digest: Digest
    media_type: str
    size: int
    artifact_type: str
    subject: str
    pushed: float
    pushed_by: str
    pushed_by_name: str
    pulled: tuple[Puller, ...]
    tags: tuple[Tag, ...]
    references: tuple[ReferenceCard, ...]


def names(connection: Connection, after: str, count: int) -> list[RepositoryName]:
    """At most `count` repositories after `after`."""
    return repository_rows.page(connection, after, count)


def repository(connection: Connection, name: RepositoryName) -> RepositoryCard:
    """One repository. Raises NameUnknown."""
    row_id = _repository_id(connection, name)
    created = connection.execute(select(repositories.c.created).where(repositories.c.id == row_id)).scalar_one()
    size = repository_rows.bytes_held(connection, row_id)

    def count(table: Table) -> int:
        return int(connection.execute(select(func.count()).where(table.c.repository_id == row_id)).scalar_one())

    return RepositoryCard(name, created, count(tags), count(manifests), count(repository_blobs), size)


def tags_of(
    connection: Connection, name: RepositoryName, after: str, count: int, *, hidden: bool = True
) -> list[TagCard]:
    """At most `count` tags of a repository behind `after`, in the order of their bytes.

    `hidden`: with those that are locked against lists. Raises NameUnknown.
    """
    row_id = _repository_id(connection, name)
    here = (tags.c.repository_id == row_id) & (tags.c.name > after)
    if not hidden:
        here &= locks.listed(tags.c.repository_id, tags.c.name)
    rows = connection.execute(select(tags).where(here).order_by(tags.c.name).limit(count)).all()
    pulled = last_pulls.latest(connection, name, [row.name for row in rows])
    return [_tag(connection, row_id, row, pulled) for row in rows]


def tag(connection: Connection, name: RepositoryName, wanted: Tag) -> TagCard:
    """One tag. Raises NameUnknown or ManifestUnknown."""
    row_id = _repository_id(connection, name)
    here = (tags.c.repository_id == row_id) & (tags.c.name == wanted)
    row = connection.execute(select(tags).where(here)).first()
    if row is None:
        raise ManifestUnknown(f"{name} has no tag {wanted}")
    return _tag(connection, row_id, row, last_pulls.latest(connection, name, [wanted]))


def manifests_of(
    connection: Connection, name: RepositoryName, after: str, count: int, *, hidden: bool = True
) -> list[ManifestCard]:
    """At most `count` manifests of a repository behind `after`, in the order of their digests.

    `hidden`: with those that are locked against lists, and with such tags. Raises NameUnknown.
    """
    row_id = _repository_id(connection, name)
    here = (manifests.c.repository_id == row_id) & (manifests.c.digest > after)
    if not hidden:
        here &= locks.listed(manifests.c.repository_id, manifests.c.digest)
    rows = select(manifests.c.digest).where(here).order_by(manifests.c.digest).limit(count)
    found = [Digest(digest) for (digest,) in connection.execute(rows).all()]
    return [_manifest(connection, name, row_id, digest, hidden=hidden) for digest in found]


def manifest(
    connection: Connection, name: RepositoryName, reference: Reference, *, hidden: bool = True
) -> ManifestCard:
    """One manifest, by tag or digest; `hidden`: with tags that are locked against lists.

    Raises:
        NameUnknown, ManifestUnknown: there is none.
    """
    row_id = _repository_id(connection, name)
    digest = tag_rows.find(connection, name, reference) if isinstance(reference, Tag) else reference
    if digest is None:
        raise ManifestUnknown(f"{name} has no tag {reference}")
    return _manifest(connection, name, row_id, digest, hidden=hidden)


def _tag(connection: Connection, row_id: int, row: Row[Any], pulled: Mapping[str, float]) -> TagCard:
    lock, pull = locks.find(connection, row_id, row.name), pulled.get(row.name)
    return TagCard(Tag(row.name), Digest(row.digest), row.created, row.updated, pull, lock.deletes or lock.writes)


def _manifest(
    connection: Connection, name: RepositoryName, row_id: int, digest: Digest, *, hidden: bool
) -> ManifestCard:
    here = (manifests.c.repository_id == row_id) & (manifests.c.digest == digest)
    row = connection.execute(select(manifests).where(here)).first()
    if row is None:
        raise ManifestUnknown(f"there is no manifest {digest} in this repository")
    pusher = principals.find(connection, row.pushed_by) if row.pushed_by else None
    pointing = tag_rows.pointing_at(connection, row_id, digest)
    references = select(manifest_references).where(manifest_references.c.manifest_id == row.id)
    return ManifestCard(
        digest,
        row.media_type,
        row.size,
        row.artifact_type,
        row.subject or "",
        row.pushed,
        row.pushed_by,
        "" if pusher is None else pusher.name,
        tuple(last_pulls.pullers(connection, name, digest, _PULLERS)),
        tuple(each for each in pointing if hidden or not locks.find(connection, row_id, each).lists),
        tuple(
            ReferenceCard(each.kind, Digest(each.digest), each.media_type, each.size)
            for each in connection.execute(references.order_by(manifest_references.c.position))
        ),
    )


def _repository_id(connection: Connection, name: RepositoryName) -> int:
    row_id = repository_rows.find(connection, name)
    if row_id is None:
        raise NameUnknown(f"this registry holds no repository {name}")
    return row_id
