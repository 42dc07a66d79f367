"""The last pull of each tag and manifest: when it was, and whose."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Table, bindparam, delete, exists, func, or_, select

from registry.database.dialects import greatest, insert, or_update
from registry.database.statement import Statement
from registry.metadata.principal_tables import principals
from registry.metadata.tables import last_pulls, manifests, repositories, tags
from registry.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull.

    Attributes:
        repository: its name.
        name: the tag or digest that was pulled.
        principal: id of the caller, "" for the anonymous one.
        time: seconds since the epoch.
    """

    repository: RepositoryName
    name: str
    principal: str
    time: float


@dataclass(frozen=True, slots=True)
class Puller:
    """Who pulled, by name or, when it is gone, by id; `time` in seconds since the epoch."""

    name: str
    time: float


_HERE = or_(
    exists().where(tags.c.repository_id == repositories.c.id, tags.c.name == bindparam("name")),
    exists().where(manifests.c.repository_id == repositories.c.id, manifests.c.digest == bindparam("name")),
)
_PULLED = insert(last_pulls)
_NOTE = Statement(
    or_update(
        _PULLED.from_select(
            ["repository_id", "name", "principal", "time"],
            select(
                repositories.c.id,
                bindparam("name", type_=last_pulls.c.name.type),
                bindparam("principal", type_=last_pulls.c.principal.type),
                bindparam("time", type_=last_pulls.c.time.type),
            ).where(repositories.c.name == bindparam("repository"), _HERE),
        ),
        ("repository_id", "name", "principal"),
        {"time": greatest(last_pulls.c.time, _PULLED.excluded.time)},
    )
)
_FORGET = Statement(
    delete(last_pulls).where(
        (last_pulls.c.repository_id == bindparam("repository")) & (last_pulls.c.name == bindparam("named"))
    )
)
_LATEST = (
    select(last_pulls.c.name, func.max(last_pulls.c.time))
    .join(repositories, repositories.c.id == last_pulls.c.repository_id)
    .where(
        repositories.c.name == bindparam("repository"),
        last_pulls.c.name.in_(bindparam("names", expanding=True)),
    )
    .group_by(last_pulls.c.name)
)
_LATEST_OF_ONE = Statement(
    select(func.max(last_pulls.c.time))
    .select_from(last_pulls)
    .join(repositories, repositories.c.id == last_pulls.c.repository_id)
    .where(repositories.c.name == bindparam("repository"), last_pulls.c.name == bindparam("name"))
)
_LATEST_OF_ALL = (
    select(last_pulls.c.name, func.max(last_pulls.c.time))
    .join(repositories, repositories.c.id == last_pulls.c.repository_id)
    .where(repositories.c.name == bindparam("repository"))
    .group_by(last_pulls.c.name)
)
_BY = (
    select(func.coalesce(principals.c.name, last_pulls.c.principal), last_pulls.c.time)
    .select_from(last_pulls)
    .join(repositories, repositories.c.id == last_pulls.c.repository_id)
    .outerjoin(principals, principals.c.id == last_pulls.c.principal)
    .where(repositories.c.name == bindparam("repository"), last_pulls.c.name == bindparam("name"))
    .order_by(last_pulls.c.time.desc())
    .limit(bindparam("count"))
)


def note(connection: Connection, pulls: Sequence[Pull]) -> None:
    """Record pulls; of what has been deleted since, none."""
    for pull in pulls:
        values = {"repository": pull.repository, "name": pull.name, "principal": pull.principal, "time": pull.time}
        _NOTE.apply(connection, values)


def forget(connection: Connection, repository_id: int, names: Collection[str]) -> None:
    """Forget the pulls of tags and manifests that are removed."""
    for name in names:
        _FORGET.apply(connection, {"repository": repository_id, "named": name})


def latest(connection: Connection, repository: RepositoryName, names: Collection[str]) -> dict[str, float]:
    """When each of the tags and digests was last pulled, seconds since the epoch; without those that never were."""
    rows = connection.execute(_LATEST, {"repository": repository, "names": list(names)})
    return {name: time for name, time in rows}  # noqa: C416 - rows are no tuples for mypy


def latest_of_one(connection: Connection, repository: RepositoryName, name: str) -> float | None:
    """`latest` of one tag or digest; `None` when it never was."""
    time: float | None = _LATEST_OF_ONE.scalar(connection, {"repository": repository, "name": name})
    return time


def latest_of_all(connection: Connection, repository: RepositoryName) -> dict[str, float]:
    """`latest` of everything in a repository."""
    rows = connection.execute(_LATEST_OF_ALL, {"repository": repository})
    return {name: time for name, time in rows}  # noqa: C416 - rows are no tuples for mypy


def pullers(connection: Connection, repository: RepositoryName, name: str, count: int) -> list[Puller]:
    """At most `count` of those that pulled a tag or digest, the latest first."""
    rows = connection.execute(_BY, {"repository": repository, "name": name, "count": count})
    return [Puller(who or "anonymous", time) for who, time in rows]


def latest_of(table: Table, name: ColumnElement[str]) -> ScalarSelect[float | None]:
    """The last pull of each row of a table of tags or manifests, as a column of a query; NULL when it never was.

    Args:
        table: with a `repository_id`.
        name: its column with the tag or digest.
    """
    return (
        select(func.max(last_pulls.c.time))
        .where(last_pulls.c.repository_id == table.c.repository_id, last_pulls.c.name == name)
        .correlate(table)
        .scalar_subquery()
    )
