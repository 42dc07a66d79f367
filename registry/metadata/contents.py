"""Queries over the content of the whole store."""

from collections.abc import Collection

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from registry.metadata.many_digests import batches
from registry.metadata.tables import manifests, repositories, repository_blobs, tags
from registry.oci.digest import Digest

_MANIFESTS = (
    select(manifests.c.id, manifests.c.digest, manifests.c.content)
    .where(manifests.c.id > bindparam("after"))
    .order_by(manifests.c.id)
    .limit(bindparam("count"))
)
_SHOWN = (
    select(repository_blobs.c.digest)
    .where(repository_blobs.c.digest > bindparam("after"))
    .group_by(repository_blobs.c.digest)
    .order_by(repository_blobs.c.digest)
    .limit(bindparam("count"))
)
_digests: BindParameter[list[str]] = bindparam("digests", expanding=True)
_STORED = select(manifests.c.digest).where(manifests.c.digest.in_(_digests)).distinct()
_STILL = select(repository_blobs.c.digest).where(repository_blobs.c.digest.in_(_digests)).distinct()
_SIZES = (
    select(repository_blobs.c.digest, func.min(repository_blobs.c.size), func.max(repository_blobs.c.size))
    .where(repository_blobs.c.digest.in_(_digests))
    .group_by(repository_blobs.c.digest)
)


def manifest_contents(connection: Connection, after: int, count: int) -> list[tuple[int, Digest, bytes | None]]:
    """Row, digest and bytes of at most `count` manifests whose row number is above `after`; `None`: in the store."""
    rows = connection.execute(_MANIFESTS, {"after": after, "count": count})
    return [(row, Digest(digest), content) for row, digest, content in rows]


def shown_blobs(connection: Connection, after: str, count: int) -> list[Digest]:
    """At most `count` blobs linked to any repository, after `after`, in the order of their names."""
    return [Digest(digest) for (digest,) in connection.execute(_SHOWN, {"after": after, "count": count})]


def still_shown(connection: Connection, digests: Collection[Digest]) -> list[Digest]:
    """Those of the blobs that are linked to a repository."""
    return [Digest(digest) for some in batches(digests) for (digest,) in connection.execute(_STILL, {"digests": some})]


def stored_manifests(connection: Connection, digests: Collection[Digest]) -> list[Digest]:
    """Those of the manifests that are in a repository."""
    return [Digest(digest) for some in batches(digests) for (digest,) in connection.execute(_STORED, {"digests": some})]


def sizes(connection: Connection, digests: Collection[Digest]) -> dict[Digest, set[int]]:
    """The sizes in bytes of each blob by its rows: one, unless a row is wrong."""
    return {
        Digest(digest): {least, most}
        for some in batches(digests)
        for digest, least, most in connection.execute(_SIZES, {"digests": some})
    }


def counts(connection: Connection) -> tuple[int, int, int]:
    """How many repositories, tags and manifests there are."""
    rows = [
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in (repositories, tags, manifests)
    ]
    return rows[0], rows[1], rows[2]
