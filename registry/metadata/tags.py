"""Tags: names within a repository that point at one manifest and may move."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from registry.metadata.tables import repositories, tags
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

_FIND = (
    select(tags.c.digest)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), tags.c.name == bindparam("tag"))
)
_HERE = (tags.c.repository_id == bindparam("repository")) & (tags.c.name == bindparam("tag"))
_CURRENT = select(tags.c.digest).where(_HERE)
_MOVE = update(tags).where(_HERE)
_REMOVE = delete(tags).where(_HERE)
_PAGE = (
    select(tags.c.name)
    .where(tags.c.repository_id == bindparam("repository"), tags.c.name > bindparam("after"))
    .order_by(tags.c.name)
    .limit(bindparam("count"))
)
_OF = (
    select(tags.c.name)
    .where(tags.c.repository_id == bindparam("repository"), tags.c.digest == bindparam("digest"))
    .order_by(tags.c.name)
)


def find(connection: Connection, repository: RepositoryName, tag: Tag) -> Digest | None:
    """The digest a tag points at, or `None`."""
    found = connection.execute(_FIND, {"repository": repository, "tag": tag}).scalar()
    return None if found is None else Digest(found)


def put(connection: Connection, repository_id: int, tag: Tag, digest: Digest, now: float) -> Digest | None:
    """Point a tag at a manifest; returns the digest it pointed at before, or `None` for a new tag."""
    here = {"repository": repository_id, "tag": tag}
    before = connection.execute(_CURRENT, here).scalar()
    if before is None:
        row = {"repository_id": repository_id, "name": tag, "digest": digest, "created": now, "updated": now}
        connection.execute(insert(tags), row)
        return None
    if before != digest:
        connection.execute(_MOVE, here | {"digest": digest, "updated": now})
    return Digest(before)


def remove(connection: Connection, repository_id: int, tag: Tag) -> bool:
    """Forget a tag; `False` when there was none."""
    return connection.execute(_REMOVE, {"repository": repository_id, "tag": tag}).rowcount > 0


def page(connection: Connection, repository_id: int, after: str, count: int) -> list[Tag]:
    """At most `count` tags behind `after`, in the order of their bytes."""
    values = {"repository": repository_id, "after": after, "count": count}
    return [Tag(name) for (name,) in connection.execute(_PAGE, values)]


def pointing_at(connection: Connection, repository_id: int, digest: Digest) -> list[Tag]:
    """All tags of one manifest, in the order of their bytes."""
    rows = connection.execute(_OF, {"repository": repository_id, "digest": digest})
    return [Tag(name) for (name,) in rows]
