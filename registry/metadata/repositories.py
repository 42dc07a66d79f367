"""Repositories: names that hold blobs, manifests and tags."""

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from registry.database.statement import Statement, autocommit
from registry.metadata import locks
from registry.metadata.blobs import BLOBS_REMOVED
from registry.metadata.tables import locks as bearers
from registry.metadata.tables import manifests, repositories, repository_blobs
from registry.oci.names import RepositoryName

# Names are ASCII without control characters.
BEHIND_ALL = "\x7f"

_FIND = Statement(select(repositories.c.id).where(repositories.c.name == bindparam("name")))
_WRITABLE = Statement(
    select(repositories.c.id, bearers.c.writes)
    .outerjoin(bearers, (bearers.c.repository_id == repositories.c.id) & (bearers.c.name == locks.REPOSITORY))
    .where(repositories.c.name == bindparam("name"))
)
_ADD = Statement(insert(repositories).returning(repositories.c.id), ("name", "created"))
_PAGE = Statement(
    select(repositories.c.name)
    .where(repositories.c.name > bindparam("after"), repositories.c.name < bindparam("before"))
    .order_by(repositories.c.name)
    .limit(bindparam("count"))
)
_LISTED = Statement(
    select(repositories.c.name)
    .where(
        repositories.c.name > bindparam("after"),
        repositories.c.name < bindparam("before"),
        locks.listed(repositories.c.id, ""),
    )
    .order_by(repositories.c.name)
    .limit(bindparam("count"))
)
_BLOB_BYTES = select(func.coalesce(func.sum(repository_blobs.c.size), 0)).where(
    repository_blobs.c.repository_id == bindparam("repository_id")
)
_MANIFEST_BYTES = select(func.coalesce(func.sum(manifests.c.size), 0)).where(
    manifests.c.repository_id == bindparam("repository_id")
)


def find(connection: Connection, name: RepositoryName) -> int | None:
    """The repository's row id, or `None` when the registry does not hold it."""
    row_id: int | None = _FIND.scalar(connection, {"name": name})
    return row_id


def ensure(connection: Connection, name: RepositoryName, now: float) -> int:
    """The repository's row id; a new row when there was none."""
    row_id = find(connection, name)
    return _add(connection, name, now) if row_id is None else row_id


def ensure_writable(connection: Connection, name: RepositoryName, now: float) -> int:
    """`ensure` for a push.

    Raises:
        Locked: it is locked against writes.
    """
    row_id, is_locked = _WRITABLE.first(connection, {"name": name}) or (None, False)
    if is_locked:
        raise locks.refusal(name, locks.REPOSITORY, "writes")
    return _add(connection, name, now) if row_id is None else row_id


def _add(connection: Connection, name: RepositoryName, now: float) -> int:
    return int(_ADD.scalar(connection, {"name": name, "created": now}))


@autocommit
def page(connection: Connection, after: str, count: int, before: str = BEHIND_ALL) -> list[RepositoryName]:
    """At most `count` names after `after` and before `before`, in the order of their bytes."""
    values = {"after": after, "before": before, "count": count}
    return [RepositoryName(name) for (name,) in _PAGE.rows(connection, values)]


@autocommit
def listed(connection: Connection, after: str, count: int, before: str = BEHIND_ALL) -> list[RepositoryName]:
    """`page` without those that are locked against lists."""
    values = {"after": after, "before": before, "count": count}
    return [RepositoryName(name) for (name,) in _LISTED.rows(connection, values)]


def bytes_held(connection: Connection, repository_id: int) -> int:
    """The size in bytes of the distinct blobs and manifests of a repository: what a quota limits."""
    values = {"repository_id": repository_id}
    return int(connection.execute(_BLOB_BYTES, values).scalar_one()) + int(
        connection.execute(_MANIFEST_BYTES, values).scalar_one()
    )


def remove(connection: Connection, name: RepositoryName) -> bool:
    """Remove a repository with its tags, manifests and links to blobs; `False` when there was none."""
    connection.info[BLOBS_REMOVED] = True
    return connection.execute(delete(repositories).where(repositories.c.name == name)).rowcount > 0
