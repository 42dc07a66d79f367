"""What administrators are shown of repositories, tags and manifests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, func, or_, select

from registry.metadata import last_pulls, principals
from registry.metadata import repositories as repository_rows
from registry.metadata import tags as tag_rows
from registry.metadata.last_pulls import Puller
from registry.metadata.locks import listed
from registry.metadata.tables import locks, manifest_references, manifests, repositories, repository_blobs, tags
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
class ManifestSummary:
    """A manifest in a list; `pulled`: its last pull, `None` when it was not pulled since that is recorded."""

    digest: Digest
    media_type: str
    size: int
    artifact_type: str
    subject: str
    pushed: float
    pushed_by: str
    pulled: float | None
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class ManifestCard(ManifestSummary):
    """A manifest with what it refers to; `pullers`: who pulled it, the latest first, 100 at most."""

    pushed_by_name: str
    pullers: tuple[Puller, ...]
    references: tuple[ReferenceCard, ...]


_SUMMARY = (
    manifests.c.digest,
    manifests.c.media_type,
    manifests.c.size,
    manifests.c.artifact_type,
    manifests.c.subject,
    manifests.c.pushed,
    manifests.c.pushed_by,
)
_TAGS = select(tags, func.coalesce(or_(locks.c.deletes, locks.c.writes), False).label("locked")).outerjoin(
    locks, and_(locks.c.repository_id == tags.c.repository_id, locks.c.name == tags.c.name)
)


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
        here &= listed(tags.c.repository_id, tags.c.name)
    rows = connection.execute(_TAGS.where(here).order_by(tags.c.name).limit(count)).all()
    pulled = last_pulls.latest(connection, name, [row.name for row in rows])
    return [_tag(row, pulled) for row in rows]


def tag(connection: Connection, name: RepositoryName, wanted: Tag) -> TagCard:
    """One tag. Raises NameUnknown or ManifestUnknown."""
    row_id = _repository_id(connection, name)
    here = (tags.c.repository_id == row_id) & (tags.c.name == wanted)
    row = connection.execute(_TAGS.where(here)).first()
    if row is None:
        raise ManifestUnknown(f"{name} has no tag {wanted}")
    return _tag(row, last_pulls.latest(connection, name, [wanted]))


def manifests_of(
    connection: Connection, name: RepositoryName, after: str, count: int, *, hidden: bool = True
) -> list[ManifestSummary]:
    """At most `count` manifests of a repository behind `after`, in the order of their digests.

    `hidden`: with those that are locked against lists, and with such tags. Raises NameUnknown.
    """
    row_id = _repository_id(connection, name)
    here = (manifests.c.repository_id == row_id) & (manifests.c.digest > after)
    if not hidden:
        here &= listed(manifests.c.repository_id, manifests.c.digest)
    rows = connection.execute(select(*_SUMMARY).where(here).order_by(manifests.c.digest).limit(count)).all()
    return _summaries(connection, name, row_id, rows, hidden=hidden)


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


def _tag(row: Row[Any], pulled: Mapping[str, float]) -> TagCard:
    pull = pulled.get(row.name)
    return TagCard(Tag(row.name), Digest(row.digest), row.created, row.updated, pull, bool(row.locked))


def _summaries(
    connection: Connection, name: RepositoryName, row_id: int, rows: Sequence[Any], *, hidden: bool
) -> list[ManifestSummary]:
    """One statement for each kind of thing that is told of all of them."""
    digests = [row.digest for row in rows]
    pulled = last_pulls.latest(connection, name, digests)
    pointing = _tags_by_digest(connection, row_id, digests, hidden=hidden)
    return [
        ManifestSummary(
            Digest(row.digest),
            row.media_type,
            row.size,
            row.artifact_type,
            row.subject or "",
            row.pushed,
            row.pushed_by,
            pulled.get(row.digest),
            tuple(pointing.get(row.digest, ())),
        )
        for row in rows
    ]


def _tags_by_digest(
    connection: Connection, row_id: int, digests: Sequence[str], *, hidden: bool
) -> dict[str, list[Tag]]:
    here = (tags.c.repository_id == row_id) & tags.c.digest.in_(digests)
    if not hidden:
        here &= listed(tags.c.repository_id, tags.c.name)
    found: dict[str, list[Tag]] = {}
    for digest, tag_name in connection.execute(select(tags.c.digest, tags.c.name).where(here).order_by(tags.c.name)):
        found.setdefault(digest, []).append(Tag(tag_name))
    return found


def _manifest(
    connection: Connection, name: RepositoryName, row_id: int, digest: Digest, *, hidden: bool
) -> ManifestCard:
    here = (manifests.c.repository_id == row_id) & (manifests.c.digest == digest)
    row = connection.execute(select(manifests.c.id, *_SUMMARY).where(here)).first()
    if row is None:
        raise ManifestUnknown(f"there is no manifest {digest} in this repository")
    pusher = principals.find(connection, row.pushed_by) if row.pushed_by else None
    (summary,) = _summaries(connection, name, row_id, [row], hidden=hidden)
    references = select(manifest_references).where(manifest_references.c.manifest_id == row.id)
    return ManifestCard(
        **{each.name: getattr(summary, each.name) for each in fields(summary)},
        pushed_by_name="" if pusher is None else pusher.name,
        pullers=tuple(last_pulls.pullers(connection, name, digest, _PULLERS)),
        references=tuple(
            ReferenceCard(each.kind, Digest(each.digest), each.media_type, each.size)
            for each in connection.execute(references.order_by(manifest_references.c.position))
        ),
    )


def _repository_id(connection: Connection, name: RepositoryName) -> int:
    row_id = repository_rows.find(connection, name)
    if row_id is None:
        raise NameUnknown(f"this registry holds no repository {name}")
    return row_id
