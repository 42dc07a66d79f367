"""Images that conditions on rows select, page by page: by digest, and by row where repositories share one.

A digest says nothing of who pushed what when, so that a place in this order tells nothing of what one may not see.
Every statement walks one index and has a limit.
"""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, exists, false, func, or_, select

from registry.database.dialects import fits, is_in
from registry.database.statement import Statement
from registry.metadata import locks
from registry.metadata.last_pulls import latest_of
from registry.metadata.tables import manifest_references, manifests, repositories, repository_blobs, tags
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.oci.patterns import EVERY

Compared = tuple[str, float]
"""`<`, `<=`, `>`, `>=` or `=`, and a number."""
Named = tuple[str, str]
"""`=`, `!=` or `~` (a pattern), and a text."""
BEYOND = 1 << 62
"""A row id behind all others."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order: behind the row of this id among those of this digest."""

    digest: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Conditions on rows, all of which must hold.

    Attributes:
        visible: patterns of repositories, one of which must match.
        repositories: conditions on the name of the repository.
        layers: blobs that the manifest names as layers.
        base: the layers that it begins with, the lowest first; it has more.
        size: bytes of the manifest, its configuration and its layers.
        pushed: the last push, seconds since the epoch.
        pulled: the last pull, seconds since the epoch; 0 for what never was.
        tagged: whether a tag points at it; `None`: either.
        tags: conditions on the name of a tag; `!=` on that of every tag.
        moved: conditions on when the same tag moved last, seconds since the epoch.
    """

    visible: tuple[str, ...] = (EVERY,)
    repositories: tuple[Named, ...] = ()
    layers: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    size: tuple[Compared, ...] = ()
    pushed: tuple[Compared, ...] = ()
    pulled: tuple[Compared, ...] = ()
    tagged: bool | None = None
    tags: tuple[Named, ...] = ()
    moved: tuple[Compared, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A manifest of a repository, by the id of its row."""

    id: int
    digest: Digest
    repository: RepositoryName

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.digest, self.id)


@dataclass(frozen=True, slots=True)
class FoundTag:
    """A tag of a manifest, when it moved last and when it was pulled last (`None`: never)."""

    name: str
    updated: float
    pulled: float | None


_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_HERE = (manifest_references.c.manifest_id == manifests.c.id) & (manifest_references.c.kind == "layer")
_SIZE = manifests.c.size + (
    select(func.coalesce(func.sum(manifest_references.c.size), 0))
    .where(
        manifest_references.c.manifest_id == manifests.c.id,
        or_(manifest_references.c.kind == "config", manifest_references.c.kind == "layer"),
    )
    .correlate(manifests)
    .scalar_subquery()
)
_PULLED = func.coalesce(latest_of(manifests, manifests.c.digest), 0.0)
_ITS_TAG = and_(
    tags.c.repository_id == manifests.c.repository_id,
    tags.c.digest == manifests.c.digest,
    locks.listed(tags.c.repository_id, tags.c.name),
)
_ROW_OF = Statement(
    select(manifests.c.id)
    .join(repositories, repositories.c.id == manifests.c.repository_id)
    .where(repositories.c.name == bindparam("repository"), manifests.c.digest == bindparam("digest"))
)
_USERS = (
    select(manifest_references.c.manifest_id)
    .join(
        repository_blobs,
        (repository_blobs.c.repository_id == manifest_references.c.repository_id)
        & (repository_blobs.c.digest == manifest_references.c.digest),
    )
    .where(repository_blobs.c.digest == bindparam("layer"), manifest_references.c.kind == "layer")
)
_TAGS = Statement(
    select(
        tags.c.name,
        tags.c.updated,
        latest_of(tags, tags.c.name),
    )
    .select_from(manifests)
    .join(tags, _ITS_TAG)
    .where(manifests.c.id == bindparam("row"))
    .order_by(tags.c.updated.desc(), tags.c.name)
    .limit(bindparam("count"))
)
_LAYERS = (
    select(manifest_references.c.digest)
    .join(manifests, manifests.c.id == manifest_references.c.manifest_id)
    .join(repositories, repositories.c.id == manifests.c.repository_id)
    .where(
        repositories.c.name == bindparam("repository"),
        manifests.c.digest == bindparam("digest"),
        manifest_references.c.kind == "layer",
    )
    .order_by(manifest_references.c.position)
)


def place_of(connection: Connection, digest: str, repository: str) -> Place:
    """The place of a manifest; before all of its digest when it is not there any more."""
    row_id = _ROW_OF.scalar(connection, {"repository": repository, "digest": digest})
    return Place(digest, row_id or 0)


def walk(connection: Connection, wanted: Wanted, after: Place, count: int) -> list[Candidate]:
    """At most `count` manifests behind a place in visible repositories of wanted names."""
    return _candidates(connection, _begun(wanted, after), count)


def among(connection: Connection, wanted: Wanted, digests: Sequence[str], after: Place, count: int) -> list[Candidate]:
    """`walk` over manifests with one of the digests."""
    return _candidates(connection, _begun(wanted, after).where(_is_one_of(manifests.c.digest, digests)), count)


def users_of(connection: Connection, wanted: Wanted, layer: str, after: Place, count: int) -> list[Candidate]:
    """`walk` over manifests with a layer; for one that few have."""
    begun = _begun(wanted, after).where(manifests.c.id.in_(_USERS.params(layer=layer)))
    return _candidates(connection, begun, count)


def has_few_users(connection: Connection, layer: str, most: int) -> bool:
    """Whether at most so many manifests name a layer."""
    return len(connection.execute(_USERS.params(layer=layer).limit(most + 1)).all()) <= most


def selected(connection: Connection, wanted: Wanted, ids: Sequence[int]) -> set[int]:
    """Those of the rows that meet all conditions."""
    question = select(manifests.c.id).where(_is_one_of(manifests.c.id, ids), *_conditions(wanted))
    return set(connection.execute(question).scalars())


def needs_rows(wanted: Wanted) -> bool:
    """Whether there are conditions that `selected` has to look at."""
    return bool(
        wanted.layers
        or wanted.base
        or wanted.size
        or wanted.pushed
        or wanted.pulled
        or wanted.tags
        or wanted.moved
        or wanted.tagged is not None
    )


def tags_of(connection: Connection, row_id: int, count: int) -> list[FoundTag]:
    """At most `count` tags of a manifest, those that moved last first."""
    return [FoundTag(*row) for row in _TAGS.rows(connection, {"row": row_id, "count": count})]


def layers_of(connection: Connection, repository: RepositoryName, digest: str) -> tuple[str, ...]:
    """The layers of a manifest, the lowest first; empty when it has none or is not there."""
    return tuple(connection.execute(_LAYERS, {"repository": repository, "digest": digest}).scalars())


def _begun(wanted: Wanted, after: Place) -> Select[Any]:
    question = (
        select(manifests.c.id, manifests.c.digest, repositories.c.name)
        .join(repositories, repositories.c.id == manifests.c.repository_id)
        .where(
            manifests.c.digest >= after.digest,
            (manifests.c.digest > after.digest) | (manifests.c.id > after.id),
            locks.listed(repositories.c.id, ""),
            locks.listed(repositories.c.id, manifests.c.digest),
            *(_named(repositories.c.name, each) for each in wanted.repositories),
        )
        .order_by(manifests.c.digest, manifests.c.id)
    )
    if EVERY in wanted.visible:
        return question
    return question.where(or_(*(_named(repositories.c.name, ("~", each)) for each in wanted.visible), false()))


def _candidates(connection: Connection, question: Select[Any], count: int) -> list[Candidate]:
    rows = connection.execute(question.limit(count))
    return [Candidate(row_id, Digest(digest), RepositoryName(name)) for row_id, digest, name in rows]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        exists().where(_HERE, manifest_references.c.digest == layer) for layer in wanted.layers
    ]
    found += [
        exists().where(_HERE, manifest_references.c.position == place, manifest_references.c.digest == layer)
        for place, layer in enumerate(wanted.base, 1)
    ]
    if wanted.base:
        found.append(exists().where(_HERE, manifest_references.c.position > len(wanted.base)))
    found += [_compared(_SIZE, each) for each in wanted.size]
    found += [_compared(manifests.c.pushed, each) for each in wanted.pushed]
    found += [_compared(_PULLED, each) for each in wanted.pulled]
    return [*found, *_of_tags(wanted)]


def _of_tags(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.tagged is not None:
        found.append(exists().where(_ITS_TAG) if wanted.tagged else ~exists().where(_ITS_TAG))
    of_one = [_named(tags.c.name, each) for each in wanted.tags if each[0] != "!="]
    of_one += [_compared(tags.c.updated, each) for each in wanted.moved]
    if of_one:
        found.append(exists().where(_ITS_TAG, *of_one))
    found += [~exists().where(_ITS_TAG, tags.c.name == name) for how, name in wanted.tags if how == "!="]
    return found


def _named(column: ColumnElement[str], condition: Named) -> ColumnElement[bool]:
    how, what = condition
    if how == "~":
        return fits(column, what)
    return column != what if how == "!=" else column == what


def _compared(column: ColumnElement[Any], condition: Compared) -> ColumnElement[bool]:
    how, what = condition
    compared: ColumnElement[bool] = _COMPARISONS[how](column, what)
    return compared


def _is_one_of(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """As one parameter, however many there are."""
    return is_in(column, json.dumps(list(values)))
