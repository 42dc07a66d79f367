"""Everything that a manifest push needs to know about its repository, in one query."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, exists, func, select

from registry.database.statement import Statement
from registry.metadata.tables import locks, manifests, repositories, repository_blobs, tags
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

_PLACES = tuple(f"blob{number}" for number in range(8))
_HELD = select(func.count()).where(
    repository_blobs.c.repository_id == repositories.c.id,
    repository_blobs.c.digest.in_([bindparam(place) for place in _PLACES]),
)
_LOCKED = exists().where(locks.c.repository_id == repositories.c.id).correlate(repositories)
_FIND = Statement(
    select(repositories.c.id, manifests.c.id, tags.c.digest, _HELD.scalar_subquery(), _LOCKED)
    .select_from(repositories)
    .outerjoin(
        manifests, (manifests.c.repository_id == repositories.c.id) & (manifests.c.digest == bindparam("manifest"))
    )
    .outerjoin(tags, (tags.c.repository_id == repositories.c.id) & (tags.c.name == bindparam("tag")))
    .where(repositories.c.name == bindparam("repository"))
)


@dataclass(frozen=True, slots=True)
class PushLookup:
    """The result of the query.

    Attributes:
        repository_id: the repository's row; -1 when there is none.
        manifest_id: the manifest's row, if it was pushed before.
        tagged: what the tag points at.
        holds_blobs: whether it certainly holds all blobs that were asked for; if `False`, they have to be counted one
            by one.
        locked: whether anything in the repository may be locked.
    """

    repository_id: int = -1
    manifest_id: int | None = None
    tagged: Digest | None = None
    holds_blobs: bool = False
    locked: bool = False


NOTHING = PushLookup()


def find(
    connection: Connection, repository: RepositoryName, manifest: Digest, tag: Tag | None, blobs: Collection[Digest]
) -> PushLookup:
    """Look up a manifest, a tag and the blobs that the manifest needs."""
    asked = list(set(blobs))[: len(_PLACES)]
    places = dict(zip(_PLACES, (asked + [""] * len(_PLACES)), strict=False))
    row = _FIND.first(connection, {"repository": repository, "manifest": manifest, "tag": tag or "", **places})
    if row is None:
        return NOTHING
    tagged = None if row[2] is None else Digest(row[2])
    return PushLookup(row[0], row[1], tagged, row[3] == len(set(blobs)), bool(row[4]))
