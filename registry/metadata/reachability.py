"""The manifests that reach some content: directly, or through indexes."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from registry.database.statement import Statement, autocommit
from registry.metadata.many_digests import batches
from registry.metadata.tables import manifest_references, manifests, repositories, repository_blobs, tags
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag


def _closure() -> Select[tuple[str]]:
    """The closure upwards from the content: its manifests, their indexes, and so on; UNION ends cycles."""
    repository = select(repositories.c.id).where(repositories.c.name == bindparam("repository")).scalar_subquery()
    holders = select(manifests.c.digest).join(manifest_references)
    reaching = holders.where(
        manifest_references.c.repository_id == repository, manifest_references.c.digest == bindparam("digest")
    ).cte("reaching", recursive=True)
    parents = holders.join(reaching, manifest_references.c.digest == reaching.c.digest).where(
        manifest_references.c.repository_id == repository
    )
    closed = reaching.union(parents)
    return select(closed.c.digest)


def _downwards() -> Select[tuple[str]]:
    """The closure downwards from a manifest: its references, those of its manifests, and so on."""
    repository = select(repositories.c.id).where(repositories.c.name == bindparam("repository")).scalar_subquery()
    named = select(manifest_references.c.digest).join(manifests)
    start = named.where(manifests.c.repository_id == repository, manifests.c.digest == bindparam("digest"))
    below = start.cte("below", recursive=True)
    closed = below.union(
        named.join(below, below.c.digest == manifests.c.digest).where(manifests.c.repository_id == repository)
    )
    among: BindParameter[list[str]] = bindparam("among", expanding=True)
    return select(closed.c.digest).where(closed.c.digest.in_(among)).limit(1)


_BELOW = _downwards()
_REACHING = _closure()
_DIRECT = (
    select(manifests.c.digest)
    .join(manifest_references)
    .where(
        manifest_references.c.repository_id == bindparam("repository"),
        manifest_references.c.digest == bindparam("digest"),
    )
    .limit(bindparam("count"))
)

_USING = (
    select(manifests.c.digest, manifest_references.c.kind)
    .join(manifest_references)
    .where(
        manifest_references.c.repository_id
        == select(repositories.c.id).where(repositories.c.name == bindparam("repository")).scalar_subquery(),
        manifest_references.c.digest == bindparam("digest"),
        manifest_references.c.kind != "child",
    )
)
_PARTS = Statement(
    select(
        manifest_references.c.kind,
        manifest_references.c.position,
        manifest_references.c.digest,
        manifest_references.c.media_type,
        repository_blobs.c.size,
    )
    .select_from(manifests)
    .join(repositories)
    .join(manifest_references, manifest_references.c.manifest_id == manifests.c.id)
    .outerjoin(
        repository_blobs,
        (repository_blobs.c.repository_id == manifests.c.repository_id)
        & (repository_blobs.c.digest == manifest_references.c.digest),
    )
    .where(
        repositories.c.name == bindparam("repository"),
        manifests.c.digest == bindparam("digest"),
        manifest_references.c.kind != "child",
    )
)
_PAGE = (
    select(manifests.c.id, repositories.c.name, manifests.c.digest)
    .join(repositories)
    .where(manifests.c.id > bindparam("after"))
    .order_by(manifests.c.id)
    .limit(bindparam("count"))
)

_TAGS = select(tags.c.repository_id, tags.c.digest, tags.c.name).order_by(tags.c.name)
_STORED = select(repositories.c.id, repositories.c.name, manifests.c.digest).join_from(repositories, manifests)


class Part(NamedTuple):
    """A blob that a manifest names.

    Attributes:
        kind: config or layer; blob for one that an index names.
        position: place in the manifest: 0 is the configuration, 1 the first layer.
        digest: the blob.
        media_type: as the manifest says.
        size: bytes, as the repository's row says; `None` when the repository does not hold it.
    """

    kind: str
    position: int
    digest: Digest
    media_type: str
    size: int | None


@dataclass(frozen=True, slots=True)
class StoredName:
    """One manifest of one repository, and the tags that point at it there."""

    repository: RepositoryName
    digest: Digest
    tags: tuple[Tag, ...]


def stored_names(connection: Connection) -> list[StoredName]:
    """Every manifest of every repository; for commands on the whole store."""
    tagged: dict[tuple[int, str], list[Tag]] = {}
    for repository, digest, name in connection.execute(_TAGS):
        tagged.setdefault((repository, digest), []).append(Tag(name))
    return [
        StoredName(RepositoryName(name), Digest(digest), tuple(tagged.get((repository, digest), ())))
        for repository, name, digest in connection.execute(_STORED)
    ]


def manifests_using(connection: Connection, repository: RepositoryName, digest: Digest) -> dict[Digest, bool]:
    """The manifests of the repository that name the blob, each with whether it is an index."""
    rows = connection.execute(_USING, {"repository": repository, "digest": digest})
    return {Digest(manifest): kind == "blob" for manifest, kind in rows}


@autocommit
def parts_of(connection: Connection, repository: RepositoryName, digest: Digest) -> list[Part]:
    """The blobs that a manifest names, in its order; empty when the manifest is absent."""
    rows = _PARTS.rows(connection, {"repository": repository, "digest": digest})
    return sorted(
        Part(kind, position, Digest(blob), media_type, size) for kind, position, blob, media_type, size in rows
    )


def manifest_page(connection: Connection, after: int, count: int) -> list[tuple[int, RepositoryName, Digest]]:
    """Manifests of all repositories, oldest first: at most `count` whose row number is above `after`."""
    rows = connection.execute(_PAGE, {"after": after, "count": count})
    return [(row, RepositoryName(name), Digest(digest)) for row, name, digest in rows]


def manifests_reaching(connection: Connection, repository: RepositoryName, digest: Digest) -> list[Digest]:
    """All manifests of the repository that reach a blob or manifest, each once, in no particular order."""
    rows = connection.execute(_REACHING, {"repository": repository, "digest": digest})
    return [Digest(manifest) for (manifest,) in rows]


def reaches_any(
    connection: Connection, repository: RepositoryName, digest: Digest, among: Collection[Digest]
) -> Digest | None:
    """One of the digests that a manifest of the repository reaches, directly or through its manifests."""
    for some in batches(among):
        reached = connection.execute(_BELOW, {"repository": repository, "digest": digest, "among": some}).scalar()
        if reached is not None:
            return Digest(reached)
    return None


def manifests_naming(connection: Connection, repository_id: int, digest: Digest, count: int) -> list[Digest]:
    """At most `count` manifests of the repository that name the content directly."""
    rows = connection.execute(_DIRECT, {"repository": repository_id, "digest": digest, "count": count})
    return [Digest(manifest) for (manifest,) in rows]
