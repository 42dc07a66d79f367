"""Links from repositories to blobs."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, func, select, update

from registry.database.dialects import insert, or_update
from registry.database.statement import Statement, autocommit
from registry.metadata.many_digests import ManyDigests
from registry.metadata.tables import repositories, repository_blobs
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

BLOBS_REMOVED = "blobs removed"

_FIND = Statement(
    select(repository_blobs.c.size)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), repository_blobs.c.digest == bindparam("digest"))
)
_SINCE = Statement(
    select(repository_blobs.c.created)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), repository_blobs.c.digest == bindparam("digest"))
)
_HERE = (repository_blobs.c.repository_id == bindparam("repository")) & (repository_blobs.c.digest == bindparam("name"))
_LINK = Statement(
    or_update(insert(repository_blobs), ("repository_id", "digest")), ("repository_id", "digest", "size", "created")
)
_REMOVE = Statement(delete(repository_blobs).where(_HERE))
_PRESENT = Statement(select(repository_blobs.c.size).where(_HERE))
_PRESENT_OF_MANY = ManyDigests(
    select(repository_blobs.c.digest).where(repository_blobs.c.repository_id == bindparam("repository")),
    repository_blobs.c.digest,
)
_SIZES_OF_MANY = ManyDigests(
    select(repository_blobs.c.digest, repository_blobs.c.size)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository")),
    repository_blobs.c.digest,
)
_HOLDERS = (
    select(repositories.c.name)
    .join(repository_blobs)
    .where(repository_blobs.c.digest == bindparam("digest"))
    .limit(bindparam("count"))
)
FEW = 50
"""So many are looked up one by one."""


@autocommit
def size_of(connection: Connection, repository: RepositoryName, digest: Digest) -> int | None:
    """The blob's size in bytes, or `None` when this repository does not hold it."""
    size: int | None = _FIND.scalar(connection, {"repository": repository, "digest": digest})
    return size


@autocommit
def sizes_of(connection: Connection, repository: RepositoryName, digests: Collection[Digest]) -> dict[Digest, int]:
    """The sizes in bytes of those blobs that the repository holds."""
    if len(digests) > FEW:
        found = _SIZES_OF_MANY.rows(connection, digests, {"repository": repository})
        return {Digest(digest): size for digest, size in found}
    rows = _FIND.first_of_each(connection, [{"repository": repository, "digest": digest} for digest in digests])
    return {digest: row[0] for digest, row in zip(digests, rows, strict=True) if row is not None}


@autocommit
def is_older(connection: Connection, repository: RepositoryName, digest: Digest, before: float) -> bool:
    """Whether a repository's link to a blob is older than a time (seconds since the epoch)."""
    created = _SINCE.scalar(connection, {"repository": repository, "digest": digest})
    return created is not None and created < before


def make_young(connection: Connection, repository: RepositoryName, digest: Digest, before: float, now: float) -> None:
    """Reset the age of a repository's link to a blob if it is older than a time."""
    here = select(repositories.c.id).where(repositories.c.name == repository).scalar_subquery()
    row = (repository_blobs.c.repository_id == here) & (repository_blobs.c.digest == digest)
    connection.execute(update(repository_blobs).where(row, repository_blobs.c.created < before).values(created=now))


def link(connection: Connection, repository_id: int, digest: Digest, size: int, now: float) -> None:
    """Link a blob to a repository; resets the age of an existing link."""
    _LINK.apply(connection, {"repository_id": repository_id, "digest": digest, "size": size, "created": now})


def unlink(connection: Connection, repository_id: int, digest: Digest) -> bool:
    """Unlink a blob from a repository; `False` when there was no link."""
    connection.info[BLOBS_REMOVED] = True
    return _REMOVE.change(connection, {"repository": repository_id, "name": digest}) > 0


def present(connection: Connection, repository_id: int, digests: Collection[Digest]) -> set[Digest]:
    """Those of the digests that the repository holds as blobs."""
    if len(digests) > FEW:
        found = _PRESENT_OF_MANY.rows(connection, digests, {"repository": repository_id})
        return {Digest(digest) for (digest,) in found}
    rows = _PRESENT.first_of_each(connection, [{"repository": repository_id, "name": item} for item in digests])
    return {item for item, row in zip(digests, rows, strict=True) if row is not None}


def holders(connection: Connection, digest: Digest, count: int) -> list[RepositoryName]:
    """At most `count` repositories that hold a blob."""
    rows = connection.execute(_HOLDERS, {"digest": digest, "count": count})
    return [RepositoryName(name) for (name,) in rows]


def totals(connection: Connection) -> tuple[int, int]:
    """How many distinct blobs there are, and their size in bytes."""
    # By groups in the order of an index: SQLite would keep what is distinct in memory, 100 bytes for each blob.
    size = func.max(repository_blobs.c.size).label("size")
    distinct = select(size).group_by(repository_blobs.c.digest).subquery()
    number, size_of_all = connection.execute(
        select(func.count(), func.coalesce(func.sum(distinct.c.size), 0)).select_from(distinct)
    ).one()
    return number, int(size_of_all)
