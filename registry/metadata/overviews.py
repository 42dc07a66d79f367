"""What pages show of repositories, tags and manifests. Every answer is bounded, and walks one index."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, or_, select

from registry.database.dialects import position_of
from registry.database.statement import Statement
from registry.metadata import locks
from registry.metadata import repositories as repository_rows
from registry.metadata.events import IS_HIDDEN
from registry.metadata.last_pulls import latest_of
from registry.metadata.principal_tables import principals
from registry.metadata.tables import (
    events,
    manifest_references,
    manifests,
    repositories,
    repository_blobs,
    tags,
)
from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown, NameUnknown
from registry.oci.names import Reference, RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class ManifestOverview:
    """A manifest in one row.

    Attributes:
        id: of its row.
        size: bytes of the manifest, its configuration and its layers; of an index those of the index alone.
        pushed: its last push, seconds since the epoch.
        pushed_by: name of the principal, or its id when it is gone.
        subject: the digest that it refers to, or empty.
    """

    id: int
    digest: Digest
    media_type: str
    artifact_type: str
    size: int
    pushed: float
    pushed_by: str
    subject: str


@dataclass(frozen=True, slots=True)
class TagOverview:
    """A tag, when it moved last, what it points at, and when it was pulled last (`None`: never)."""

    name: Tag
    updated: float
    manifest: ManifestOverview
    pulled: float | None


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a repository in short.

    Attributes:
        count: how many, `most` at most.
        newest: the one that moved last; `None` without tags, or where there are more than were looked at.
    """

    count: int
    newest: TagOverview | None


@dataclass(frozen=True, slots=True)
class EventOverview:
    """An event; `time` in seconds since the epoch, `by` the name of the principal, or its id when it is gone.

    `details` are those of `registry.metadata.events.Event`.
    """

    id: int
    time: float
    kind: str
    repository: str
    digest: str
    tag: str
    by: str
    details: Mapping[str, Any]


_PARTS = (
    select(func.coalesce(func.sum(manifest_references.c.size), 0))
    .where(
        manifest_references.c.manifest_id == manifests.c.id,
        or_(manifest_references.c.kind == "config", manifest_references.c.kind == "layer"),
    )
    .correlate(manifests)
    .scalar_subquery()
)
_BY = select(principals.c.name).where(principals.c.id == manifests.c.pushed_by).correlate(manifests).scalar_subquery()
_MANIFEST = (
    manifests.c.id,
    manifests.c.digest,
    manifests.c.media_type,
    manifests.c.artifact_type,
    (manifests.c.size + _PARTS).label("whole"),
    manifests.c.pushed,
    func.coalesce(_BY, manifests.c.pushed_by).label("by"),
    manifests.c.subject,
)
_PULLED = latest_of(tags, tags.c.name).label("pulled")
_TAGGED = select(tags.c.name, tags.c.updated, *_MANIFEST, _PULLED).join(
    manifests, (manifests.c.repository_id == tags.c.repository_id) & (manifests.c.digest == tags.c.digest)
)


_LOOKED_AT = (
    select(tags.c.name, tags.c.updated)
    .where(tags.c.repository_id == bindparam("repository"), locks.listed(tags.c.repository_id, tags.c.name))
    .limit(bindparam("most"))
    .subquery()
)
_NEWEST = Statement(
    select(func.count().over(), _LOOKED_AT.c.name)
    .order_by(_LOOKED_AT.c.updated.desc(), _LOOKED_AT.c.name.desc())
    .limit(1)
)
_ONE_TAG = Statement(_TAGGED.where(tags.c.repository_id == bindparam("repository"), tags.c.name == bindparam("tag")))


_EVENTS = (
    select(
        events.c.id,
        events.c.time,
        events.c.kind,
        events.c.repository,
        events.c.digest,
        events.c.tag,
        func.coalesce(principals.c.name, events.c.principal),
        events.c.details,
    )
    .outerjoin(principals, principals.c.id == events.c.principal)
    .where(~IS_HIDDEN)
    .order_by(events.c.id.desc())
)


def tags_of_each(connection: Connection, names: Collection[RepositoryName], most: int) -> dict[RepositoryName, Tags]:
    """The tags of each repository in short, `most` of each looked at; repositories that are gone are left out."""
    ids = {name: repository_rows.find(connection, name) for name in names}
    return {name: _in_short(connection, row_id, most) for name, row_id in ids.items() if row_id is not None}


def tag_page(connection: Connection, name: RepositoryName, after: str, count: int) -> list[TagOverview]:
    """At most `count` tags after one, in the order of their bytes. Raises NameUnknown."""
    here = id_of(connection, name)
    question = _TAGGED.where(
        tags.c.repository_id == here, tags.c.name > after, locks.listed(tags.c.repository_id, tags.c.name)
    )
    return [_tag(row) for row in connection.execute(question.order_by(tags.c.name).limit(count))]


def untagged_page(
    connection: Connection, name: RepositoryName, after: str, count: int, looked_at: int
) -> tuple[list[ManifestOverview], str]:
    """At most `count` manifests without a tag after a digest, and the digest after which to go on, if there are more.

    `looked_at`: how many manifests are read at most, tagged ones among them. Raises NameUnknown.
    """
    here = id_of(connection, name)
    stride = (
        select(manifests.c.digest)
        .where(manifests.c.repository_id == here, manifests.c.digest > after)
        .order_by(manifests.c.digest)
        .limit(looked_at)
    )
    seen = [digest for (digest,) in connection.execute(stride)]
    if not seen:
        return [], ""
    tagged = exists().where(tags.c.repository_id == here, tags.c.digest == manifests.c.digest)
    question = (
        select(*_MANIFEST)
        .where(manifests.c.repository_id == here, manifests.c.digest > after, manifests.c.digest <= seen[-1], ~tagged)
        .where(locks.listed(manifests.c.repository_id, manifests.c.digest))
        .order_by(manifests.c.digest)
        .limit(count + 1)
    )
    shown = [_manifest(row) for row in connection.execute(question)]
    if len(shown) > count:
        return shown[:count], shown[count - 1].digest
    return shown, seen[-1] if len(seen) == looked_at else ""


def manifest(connection: Connection, name: RepositoryName, reference: Reference) -> ManifestOverview:
    """One manifest, by tag or digest. Raises NameUnknown or ManifestUnknown."""
    here = id_of(connection, name)
    if isinstance(reference, Tag):
        question = select(*_MANIFEST).join(
            tags, (tags.c.repository_id == manifests.c.repository_id) & (tags.c.digest == manifests.c.digest)
        )
        question = question.where(tags.c.repository_id == here, tags.c.name == reference)
    else:
        question = select(*_MANIFEST).where(manifests.c.repository_id == here, manifests.c.digest == reference)
    row = connection.execute(question).first()
    if row is None:
        raise ManifestUnknown(f"{name} holds no {reference}", {"reference": reference})
    return _manifest(row)


def manifests_of_ids(connection: Connection, ids: Collection[int]) -> dict[int, ManifestOverview]:
    """The manifests with these ids of rows, at most some hundred."""
    question = select(*_MANIFEST).where(manifests.c.id.in_(ids))
    return {row[0]: _manifest(row) for row in connection.execute(question)}


def tags_of(connection: Connection, name: RepositoryName, digest: Digest, count: int) -> list[Tag]:
    """At most `count` tags that point at a manifest."""
    here = id_of(connection, name)
    question = select(tags.c.name).where(
        tags.c.repository_id == here, tags.c.digest == digest, locks.listed(tags.c.repository_id, tags.c.name)
    )
    return [Tag(each) for (each,) in connection.execute(question.order_by(tags.c.name).limit(count))]


def names_with(connection: Connection, text: str, after: str, count: int) -> list[RepositoryName]:
    """At most `count` repositories after one whose names hold a text, in the order of their bytes."""
    question = (
        select(repositories.c.name)
        .where(
            repositories.c.name > after,
            position_of(repositories.c.name, text) > 0,
            locks.listed(repositories.c.id, ""),
        )
        .order_by(repositories.c.name)
        .limit(count)
    )
    return [RepositoryName(name) for (name,) in connection.execute(question)]


def manifests_named(
    connection: Connection, beginning: str, after: tuple[str, str], count: int
) -> list[tuple[RepositoryName, Digest]]:
    """At most `count` manifests whose digests begin so, after one, by digest and repository."""
    question = (
        select(repositories.c.name, manifests.c.digest)
        .join(repositories, repositories.c.id == manifests.c.repository_id)
        .where(
            manifests.c.digest >= max(beginning, after[0]),
            manifests.c.digest < beginning + repository_rows.BEHIND_ALL,
            (manifests.c.digest > after[0]) | (repositories.c.name > after[1]),
            locks.listed(repositories.c.id, ""),
            locks.listed(repositories.c.id, manifests.c.digest),
        )
        .order_by(manifests.c.digest, repositories.c.name)
        .limit(count)
    )
    return [(RepositoryName(name), Digest(digest)) for name, digest in connection.execute(question)]


def events_before(connection: Connection, before: int | None, count: int) -> list[EventOverview]:
    """At most `count` events before one, the latest first, without those of what is locked against lists."""
    question = _EVENTS if before is None else _EVENTS.where(events.c.id < before)
    return [_event(row) for row in connection.execute(question.limit(count))]


def events_of_ids(connection: Connection, ids: Collection[int]) -> list[EventOverview]:
    """The events with these ids, at most some hundred, the latest first, without those of what is locked so."""
    return [_event(row) for row in connection.execute(_EVENTS.where(events.c.id.in_(ids)))]


def repositories_with(
    connection: Connection, digest: Digest, after: str, count: int
) -> list[tuple[RepositoryName, int]]:
    """At most `count` repositories after one that hold a blob, and its size in bytes."""
    question = (
        select(repositories.c.name, repository_blobs.c.size)
        .join(repository_blobs, repository_blobs.c.repository_id == repositories.c.id)
        .where(repository_blobs.c.digest == digest, repositories.c.name > after, locks.listed(repositories.c.id, ""))
        .order_by(repositories.c.name)
        .limit(count)
    )
    return [(RepositoryName(name), size) for name, size in connection.execute(question)]


def users_of(connection: Connection, name: RepositoryName, digest: Digest, count: int) -> list[ManifestOverview]:
    """At most `count` manifests of a repository that name a blob, by digest. Raises NameUnknown."""
    here = id_of(connection, name)
    users = select(manifest_references.c.manifest_id).where(
        manifest_references.c.repository_id == here, manifest_references.c.digest == digest
    )
    question = select(*_MANIFEST).where(
        manifests.c.id.in_(users), locks.listed(manifests.c.repository_id, manifests.c.digest)
    )
    return [_manifest(row) for row in connection.execute(question.order_by(manifests.c.digest).limit(count))]


def id_of(connection: Connection, name: RepositoryName) -> int:
    """The repository's row id. Raises NameUnknown."""
    row_id = repository_rows.find(connection, name)
    if row_id is None:
        raise NameUnknown(f"this registry holds no repository {name}", {"name": name})
    return row_id


def _in_short(connection: Connection, here: int, most: int) -> Tags:
    row = _NEWEST.first(connection, {"repository": here, "most": most + 1})
    count, newest = (0, "") if row is None else row
    if not count or count > most:
        return Tags(min(count, most), None)
    row = _ONE_TAG.first(connection, {"repository": here, "tag": newest})
    return Tags(count, None if row is None else _tag(row))


def _tag(row: Any) -> TagOverview:
    return TagOverview(Tag(row[0]), row[1], _manifest(row[2:-1]), row[-1])


def _manifest(row: Any) -> ManifestOverview:
    row_id, digest, media_type, artifact_type, size, pushed, by, subject = row
    return ManifestOverview(row_id, Digest(digest), media_type, artifact_type, size, pushed, by, subject or "")


def _event(row: Any) -> EventOverview:
    row_id, time, kind, repository, digest, tag, by, details = row
    return EventOverview(row_id, time, kind, repository, digest, tag, by, details or {})
