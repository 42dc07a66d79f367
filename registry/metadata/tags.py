"""Tags: names in a repository that point at one manifest and may move."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from registry.database.statement import Statement
from registry.metadata import last_pulls, locks
from registry.metadata.tables import repositories, tags
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

_FIND = Statement(
    select(tags.c.digest)
    .join(repositories)
    .where(repositories.c.name == bindparam("repository"), tags.c.name == bindparam("tag"))
)
_HERE = (tags.c.repository_id == bindparam("repository")) & (tags.c.name == bindparam("tag"))
_CURRENT = Statement(select(tags.c.digest).where(_HERE))
_ADD = Statement(insert(tags), ("repository_id", "name", "digest", "created", "updated"))
_MOVE = Statement(update(tags).where(_HERE), ("digest", "updated"))
_REMOVE = Statement(delete(tags).where(_HERE))
_PAGE = Statement(
    select(tags.c.name)
    .where(tags.c.repository_id == bindparam("repository"), tags.c.name > bindparam("after"))
    .order_by(tags.c.name)
    .limit(bindparam("count"))
)
_LISTED = Statement(
    select(tags.c.name)
    .where(
        tags.c.repository_id == bindparam("repository"),
        tags.c.name > bindparam("after"),
        locks.listed(tags.c.repository_id, tags.c.name),
    )
    .order_by(tags.c.name)
    .limit(bindparam("count"))
)
_OF = Statement(
    select(tags.c.name)
    .where(tags.c.repository_id == bindparam("repository"), tags.c.digest == bindparam("digest"))
    .order_by(tags.c.name)
)


def find(connection: Connection, repository: RepositoryName, tag: Tag) -> Digest | None:
    """The digest a tag points at, or `None`."""
    digest = _FIND.scalar(connection, {"repository": repository, "tag": tag})
    return None if digest is None else Digest(digest)


def current(connection: Connection, repository_id: int, tag: Tag) -> Digest | None:
    """The digest a tag points at, or `None`."""
    digest = _CURRENT.scalar(connection, {"repository": repository_id, "tag": tag})
    return None if digest is None else Digest(digest)


def point(  # noqa: PLR0913
    connection: Connection, repository_id: int, tag: Tag, digest: Digest, now: float, *, is_new: bool
) -> None:
    """Point a tag at a manifest; `is_new` was read in the same transaction."""
    if is_new:
        row = {"repository_id": repository_id, "name": tag, "digest": digest, "created": now, "updated": now}
        _ADD.apply(connection, row)
    else:
        _MOVE.apply(connection, {"repository": repository_id, "tag": tag, "digest": digest, "updated": now})


def remove(connection: Connection, repository_id: int, tag: Tag) -> bool:
    """Remove a tag; `False` when there was none."""
    locks.forget(connection, repository_id, (tag,))
    last_pulls.forget(connection, repository_id, (tag,))
    return _REMOVE.change(connection, {"repository": repository_id, "tag": tag}) > 0


def page(connection: Connection, repository_id: int, after: str, count: int) -> list[Tag]:
    """At most `count` tags after `after`, in the order of their bytes."""
    values = {"repository": repository_id, "after": after, "count": count}
    return [Tag(name) for (name,) in _PAGE.rows(connection, values)]


def listed(connection: Connection, repository_id: int, after: str, count: int) -> list[Tag]:
    """`page` without those that are locked against lists."""
    values = {"repository": repository_id, "after": after, "count": count}
    return [Tag(name) for (name,) in _LISTED.rows(connection, values)]


def pointing_at(connection: Connection, repository_id: int, digest: Digest) -> list[Tag]:
    """All tags of one manifest, in the order of their bytes."""
    rows = _OF.rows(connection, {"repository": repository_id, "digest": digest})
    return [Tag(name) for (name,) in rows]
