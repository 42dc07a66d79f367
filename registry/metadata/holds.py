"""Holds keep a manifest from being removed until they are lifted.

A manifest under a hold is neither deleted nor collected, nor are its parts: the manifests of an index, and, as for
every manifest, its blobs. Its tags may be deleted and moved. A hold has a name, by which it is lifted; a manifest may
have many. The registry does not interpret the reason: it is text for people.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Select, bindparam, delete, insert, select

from registry.metadata import manifests as manifest_rows
from registry.metadata import repositories as repository_rows
from registry.metadata.tables import holds, manifest_references, manifests, repositories
from registry.oci.digest import Digest
from registry.oci.errors import Locked, ManifestUnknown
from registry.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold.

    Attributes:
        name: given by its placer.
        repository, digest: the manifest.
        reason: who needs the manifest, and how to lift the hold; the end of a sentence.
        created: seconds since the epoch.
    """

    name: str
    repository: RepositoryName
    digest: Digest
    reason: str
    created: float


def _held_through() -> Select[tuple[str, str]]:
    """The closure upwards from a manifest: itself, the indexes that name it, and so on, where there are holds."""
    start = select(bindparam("named", type_=holds.c.digest.type).label("digest")).cte("above", recursive=True)
    naming = (
        select(manifests.c.digest)
        .join(manifest_references, manifest_references.c.manifest_id == manifests.c.id)
        .join(start, manifest_references.c.digest == start.c.digest)
        .where(manifest_references.c.repository_id == bindparam("repository"))
    )
    above = start.union(naming)
    return (
        select(holds.c.digest, holds.c.reason)
        .join(above, holds.c.digest == above.c.digest)
        .where(holds.c.repository_id == bindparam("repository"))
        .order_by(holds.c.id)
        .limit(1)
    )


_HELD_THROUGH = _held_through()
_COLUMNS = (holds.c.name, repositories.c.name.label("repository"), holds.c.digest, holds.c.reason, holds.c.created)


def place(connection: Connection, hold: Hold) -> None:
    """Put a manifest under a hold; an existing hold of the same name gets the new reason.

    Raises:
        ManifestUnknown: the repository does not hold the manifest.
    """
    repository_id = repository_rows.find(connection, hold.repository)
    if repository_id is None or not manifest_rows.present(connection, repository_id, [hold.digest]):
        raise ManifestUnknown(f"{hold.repository} has no manifest {hold.digest}", {"digest": hold.digest})
    here = {"repository_id": repository_id, "digest": hold.digest, "name": hold.name}
    connection.execute(delete(holds).where(*(holds.c[column] == value for column, value in here.items())))
    connection.execute(insert(holds), here | {"reason": hold.reason, "created": hold.created})


def lift(connection: Connection, name: str) -> int:
    """Lift every hold of a name; returns how many."""
    return connection.execute(delete(holds).where(holds.c.name == name)).rowcount


def named(connection: Connection, prefix: str) -> list[Hold]:
    """The holds whose names have this prefix, oldest first."""
    question = select(*_COLUMNS).join(repositories).where(holds.c.name.startswith(prefix, autoescape=True))
    rows = connection.execute(question.order_by(holds.c.id)).all()
    return [Hold(row[0], RepositoryName(row[1]), Digest(row[2]), row[3], row[4]) for row in rows]


def reasons(connection: Connection, repository_id: int, digest: Digest) -> list[str]:
    """The reasons of a manifest's own holds."""
    here = (holds.c.repository_id == repository_id) & (holds.c.digest == digest)
    return list(connection.execute(select(holds.c.reason).where(here).order_by(holds.c.id)).scalars())


def require_free(connection: Connection, repository: RepositoryName, repository_id: int, digest: Digest) -> None:
    """Check that neither a manifest nor an index that needs it is under a hold.

    Raises:
        Locked: one is; the message says why.
    """
    row = connection.execute(_HELD_THROUGH, {"repository": repository_id, "named": digest}).first()
    if row is not None:
        raise _refused(repository, row.digest, row.reason)


def require_all_free(connection: Connection, repository: RepositoryName, repository_id: int) -> None:
    """Check that no manifest of a repository is under a hold. Raises Locked as `require_free` does."""
    question = select(holds.c.digest, holds.c.reason).where(holds.c.repository_id == repository_id)
    row = connection.execute(question.order_by(holds.c.id).limit(1)).first()
    if row is not None:
        raise _refused(repository, row.digest, row.reason)


def _refused(repository: RepositoryName, digest: str, reason: str) -> Locked:
    return Locked(f"{repository}@{digest} is held: {reason}", {"digest": digest, "reason": reason})
