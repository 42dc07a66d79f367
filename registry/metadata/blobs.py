"""Which repository may show which blob."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from registry.metadata.tables import repositories, repository_blobs
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

_FIND = (
    select(repository_blobs.c.size)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), repository_blobs.c.digest == bindparam("digest"))
)
_HERE = (repository_blobs.c.repository_id == bindparam("repository")) & (repository_blobs.c.digest == bindparam("name"))
_REFRESH = update(repository_blobs).where(_HERE)
_REMOVE = delete(repository_blobs).where(_HERE)
_PRESENT = select(repository_blobs.c.digest).where(
    repository_blobs.c.repository_id == bindparam("repository"),
    repository_blobs.c.digest.in_(bindparam("digests", expanding=True)),
)
_HOLDERS = (
    select(repositories.c.name)
    .join(repository_blobs)
    .where(repository_blobs.c.digest == bindparam("digest"))
    .limit(bindparam("count"))
)
_BATCH = 500


def batches(digests: Collection[Digest]) -> Iterator[list[Digest]]:
    """Digests in lists short enough for one statement's parameters."""
    ordered = list(digests)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


def size_of(connection: Connection, repository: RepositoryName, digest: Digest) -> int | None:
    """The blob's size in bytes, or `None` when this repository does not hold it."""
    return connection.execute(_FIND, {"repository": repository, "digest": digest}).scalar()


def link(connection: Connection, repository_id: int, digest: Digest, size: int, now: float) -> bool:
    """Let a repository show a blob, as from now; `False` when it already did (its age starts again)."""
    here = {"repository": repository_id, "name": digest}
    if connection.execute(_REFRESH, here | {"created": now}).rowcount:
        return False
    row = {"repository_id": repository_id, "digest": digest, "size": size, "created": now}
    connection.execute(insert(repository_blobs), row)
    return True


def unlink(connection: Connection, repository_id: int, digest: Digest) -> bool:
    """Let a repository show a blob no longer; `False` when it did not."""
    return connection.execute(_REMOVE, {"repository": repository_id, "name": digest}).rowcount > 0


def present(connection: Connection, repository_id: int, digests: Collection[Digest]) -> set[Digest]:
    """Those of the digests that the repository holds as blobs."""
    found: set[Digest] = set()
    for some in batches(digests):
        rows = connection.execute(_PRESENT, {"repository": repository_id, "digests": some})
        found.update(Digest(digest) for (digest,) in rows)
    return found


def holders(connection: Connection, digest: Digest, count: int) -> list[RepositoryName]:
    """At most `count` repositories that hold a blob."""
    rows = connection.execute(_HOLDERS, {"digest": digest, "count": count})
    return [RepositoryName(name) for (name,) in rows]
