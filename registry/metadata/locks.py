"""Locks of repositories, tags and manifests against deletes, writes, reads and lists.

Only bearers that are or were locked have a row. A lock belongs to its bearer: a tag that is removed and pushed again is
not locked.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Exists, bindparam, delete, exists, or_, select

from registry.database.dialects import insert, or_update
from registry.database.statement import Statement, autocommit
from registry.metadata.tables import locks, repositories
from registry.oci.errors import Locked
from registry.oci.names import RepositoryName

REPOSITORY = ""
"""The name of the bearer that is the repository itself. No tag has a colon in it, every digest has."""


@dataclass(frozen=True, slots=True)
class Locks:
    """What a bearer is locked against.

    Attributes:
        deletes: it cannot be removed.
        writes: it cannot be changed or removed: a tag cannot move, nothing can be pushed to a repository.
        reads: it cannot be pulled.
        lists: it is left out of lists.
        changed: when the locks were last set, seconds since the epoch; 0: never.
    """

    deletes: bool = False
    writes: bool = False
    reads: bool = False
    lists: bool = False
    changed: float = 0.0


OPEN = Locks()
_HERE = (locks.c.repository_id == bindparam("repository")) & (locks.c.name == bindparam("bearer"))
_COLUMNS = (locks.c.deletes, locks.c.writes, locks.c.reads, locks.c.lists, locks.c.changed)
_FIND = Statement(select(*_COLUMNS).where(_HERE))
_BEARERS = Statement(select(locks.c.name).where(locks.c.repository_id == bindparam("repository")))
_FIELDS = ("deletes", "writes", "reads", "lists", "changed")
_PUT = Statement(or_update(insert(locks), ("repository_id", "name")), ("repository_id", "name", *_FIELDS))
_FORGET = Statement(delete(locks).where(_HERE))
_READS = Statement(
    select(locks.c.name)
    .join(repositories)
    .where(
        repositories.c.name == bindparam("repository"),
        locks.c.name.in_(["", bindparam("tag"), bindparam("digest")]),
        locks.c.reads,
    )
)
_UNLISTED = (
    select(repositories.c.name, locks.c.name)
    .join(locks, locks.c.repository_id == repositories.c.id)
    .where(
        locks.c.lists,
        repositories.c.name.in_(bindparam("names", expanding=True)),
        locks.c.name.in_(bindparam("bearers", expanding=True)),
    )
)
_SHUT = Statement(
    select(locks.c.writes).join(repositories).where(repositories.c.name == bindparam("repository"), locks.c.name == "")
)


def find(connection: Connection, repository_id: int, bearer: str) -> Locks:
    """The locks of a bearer: a tag, a digest, or `REPOSITORY`."""
    row = _FIND.first(connection, {"repository": repository_id, "bearer": bearer})
    return OPEN if row is None else of_row(row)


def of_row(row: Sequence[Any]) -> Locks:
    """The locks of a row: deletes, writes, reads, lists, changed."""
    deletes, writes, reads, lists, changed = row
    return Locks(bool(deletes), bool(writes), bool(reads), bool(lists), changed)


def bearers(connection: Connection, repository_id: int) -> list[str]:
    """The bearers in a repository that are or were locked."""
    return [name for (name,) in _BEARERS.rows(connection, {"repository": repository_id})]


def put(connection: Connection, repository_id: int, bearer: str, wanted: Locks) -> None:
    """Set all locks of a bearer."""
    values = {name: getattr(wanted, name) for name in _FIELDS}
    _PUT.apply(connection, {"repository_id": repository_id, "name": bearer, **values})


def forget(connection: Connection, repository_id: int, bearers: Iterable[str]) -> None:
    """Remove the locks of removed bearers."""
    for bearer in bearers:
        _FORGET.apply(connection, {"repository": repository_id, "bearer": bearer})


def unlisted(connection: Connection, bearers: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of some bearers that are locked against lists: repository, and tag, digest or `REPOSITORY`."""
    asked = _UNLISTED.params(names=sorted({name for name, _ in bearers}), bearers=sorted({each for _, each in bearers}))
    return {(name, bearer) for name, bearer in connection.execute(asked)} & set(bearers)


@autocommit
def require_readable(connection: Connection, repository: RepositoryName, digest: str = "", tag: str = "") -> None:
    """Check that a manifest, the requested tag and the repository are not locked against reads.

    Raises:
        Locked: one of them is.
    """
    bearer = _READS.scalar(connection, {"repository": repository, "digest": digest, "tag": tag})
    if bearer is not None:
        raise refusal(repository, bearer, "reads")


@autocommit
def is_readable(connection: Connection, repository: RepositoryName) -> bool:
    """Whether a repository is not locked against reads."""
    return _READS.scalar(connection, {"repository": repository, "digest": "", "tag": ""}) is None


@autocommit
def require_writable(connection: Connection, repository: RepositoryName) -> None:
    """Check that a repository, if it exists, is not locked against writes.

    Raises:
        Locked: it is.
    """
    if _SHUT.scalar(connection, {"repository": repository}):
        raise refusal(repository, REPOSITORY, "writes")


def require_unlocked(
    connection: Connection, repository_id: int, repository: RepositoryName, bearers: Iterable[str], *, removes: bool
) -> None:
    """Check that no bearer is locked against writes, nor, if the change `removes` it, against deletes.

    Raises:
        Locked: one of them is.
    """
    for bearer in bearers:
        lock = find(connection, repository_id, bearer)
        if lock.writes:
            raise refusal(repository, bearer, "writes")
        if removes and lock.deletes:
            raise refusal(repository, bearer, "deletes")


def refusal(repository: RepositoryName, bearer: str, against: str) -> Locked:
    """The error for a locked bearer."""
    kind, link = ("manifest", "@") if ":" in bearer else ("tag", ":") if bearer else ("repository", "")
    return Locked(
        f"the operation is disallowed: {kind} {repository}{link}{bearer} is locked against {against}; have it unlocked "
        "first",
        {"name": bearer or repository, "lock": against},
    )


def listed(repository_id: ColumnElement[int], bearer: ColumnElement[str] | str) -> ColumnElement[bool]:
    """The SQL condition that a bearer is not locked against lists."""
    return ~_locked(locks.c.repository_id == repository_id, locks.c.name == bearer, locks.c.lists)


def removable(repository_id: ColumnElement[int], digest: ColumnElement[str]) -> ColumnElement[bool]:
    """The SQL condition that neither a manifest nor its repository is locked against deletes or writes."""
    return ~_locked(
        locks.c.repository_id == repository_id, locks.c.name.in_(["", digest]), or_(locks.c.deletes, locks.c.writes)
    )


def _locked(*conditions: ColumnElement[bool]) -> Exists:
    """That there is such a lock; the statement around it may read locks too."""
    return exists().where(*conditions).correlate_except(locks)
