"""Tag history: what each tag pointed at, and when. It outlives tags, manifests and repositories.

An entry is written by the call that records the event (`registry.metadata.events.record`), so that the two cannot
differ. `until` is set when the next entry of the tag comes: what is kept for the sake of history is found by it.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from registry.database.statement import Statement
from registry.metadata.tables import locks, manifests, principals, repositories, tag_history
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

_GIVEN = ("repository", "tag", "digest", "media_type", "size", "time", "until", "deleted", "principal")
_ADD = Statement(insert(tag_history), _GIVEN)
_OF_TAG = (tag_history.c.repository == bindparam("here")) & (tag_history.c.tag == bindparam("named"))
_LAST = select(func.max(tag_history.c.id)).where(_OF_TAG).scalar_subquery()
_CLOSE = Statement(
    update(tag_history).where(tag_history.c.id == _LAST, tag_history.c.until.is_(None)),
    ("until",),
)
_NAMED = (repositories.c.name == bindparam("repository")) & (manifests.c.digest == bindparam("digest"))
_MEDIA_TYPE = select(manifests.c.media_type).join(repositories).where(_NAMED).scalar_subquery()
_SIZE = select(manifests.c.size).join(repositories).where(_NAMED).scalar_subquery()
_SAID = ("repository", "tag", "digest", "time", "deleted", "principal")
_ADD_SET = Statement(
    insert(tag_history).from_select(
        [*_SAID, "media_type", "size"],
        select(
            *(bindparam(name, type_=tag_history.c[name].type) for name in _SAID),
            func.coalesce(_MEDIA_TYPE, ""),
            func.coalesce(_SIZE, 0),
        ),
    )
)
_LAST_ENTRY = Statement(
    select(tag_history.c.digest, tag_history.c.media_type, tag_history.c.size).where(tag_history.c.id == _LAST)
)
_UNLISTED = (
    select(locks.c.name)
    .join(repositories, repositories.c.id == locks.c.repository_id)
    .where(repositories.c.name == bindparam("here"), locks.c.lists)
)
"""Tags and digests of a repository that are locked against lists."""
_OPEN = (tag_history.c.repository == bindparam("here")) & tag_history.c.until.is_(None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        id: rises with time.
        digest, media_type, size: the manifest (bytes); of a deletion, what the tag pointed at before.
        time: when the tag was set or deleted (seconds since the epoch).
        deleted: whether it was deleted then.
        principal: id of who did it, or empty.
    """

    id: int
    digest: Digest
    media_type: str
    size: int
    time: float
    deleted: bool
    principal: str


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of some tag of a repository.

    Attributes:
        tag: which.
        entry: what it points at since then.
        by: the name of who did it, its id when it is gone, or empty.
        is_hidden: whether the manifest is locked against lists.
    """

    tag: Tag
    entry: Entry
    by: str
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Which entries of a tag are asked for; `None`: without that bound.

    Attributes:
        before, since: only older, or younger, entries (seconds since the epoch).
        digest: only those of this manifest.
        below: only entries with a smaller id: the next page.
    """

    before: float | None = None
    since: float | None = None
    digest: Digest | None = None
    below: int | None = None


_COLUMNS = (
    tag_history.c.id,
    tag_history.c.digest,
    tag_history.c.media_type,
    tag_history.c.size,
    tag_history.c.time,
    tag_history.c.deleted,
    tag_history.c.principal,
)


def note_set(  # noqa: PLR0913, PLR0917
    connection: Connection, now: float, repository: str, tag: str, digest: str, principal: str, *, is_new: bool
) -> None:
    """A tag points at a manifest of its repository now; `is_new`: it was not there before."""
    if not is_new:
        _CLOSE.apply(connection, {"here": repository, "named": tag, "until": now})
    told = {"repository": repository, "tag": tag, "digest": digest, "time": now, "principal": principal}
    _ADD_SET.apply(connection, told | {"deleted": False})


def note_deleted(connection: Connection, now: float, repository: str, tag: str, principal: str) -> None:
    """A tag is not there any more."""
    last = _LAST_ENTRY.first(connection, {"here": repository, "named": tag})
    if last is not None:
        _CLOSE.apply(connection, {"here": repository, "named": tag, "until": now})
        gone = _row(repository, tag, last[0], last[1], last[2], now, principal)
        _ADD.apply(connection, gone | {"until": now, "deleted": True})


def note_all_deleted(connection: Connection, now: float, repository: str, principal: str) -> None:
    """A repository is not there any more, nor is any of its tags."""
    kept = ("repository", "tag", "digest", "media_type", "size")
    given = {"now": tag_history.c.time, "yes": tag_history.c.deleted, "who": tag_history.c.principal}
    fixed: list[Any] = [bindparam(name, type_=given[name].type) for name in ("now", "now", "yes", "who")]
    open_entries = select(*(tag_history.c[name] for name in kept), *fixed).where(_OPEN)
    values = {"here": repository, "now": now, "yes": True, "who": principal}
    highest = connection.execute(select(func.max(tag_history.c.id))).scalar() or 0
    connection.execute(
        insert(tag_history).from_select([*kept, "time", "until", "deleted", "principal"], open_entries), values
    )
    closing = update(tag_history).where(_OPEN, tag_history.c.id <= highest).values(until=now)
    connection.execute(closing, {"here": repository})


def page(connection: Connection, repository: RepositoryName, tag: Tag, span: Span, count: int) -> list[Entry]:
    """At most `count` entries of a tag, the newest first."""
    asked = _within(select(*_COLUMNS).where(tag_history.c.repository == repository, tag_history.c.tag == tag), span)
    rows = connection.execute(asked.order_by(tag_history.c.id.desc()).limit(count))
    return [_entry(row) for row in rows]


def of_repository(connection: Connection, repository: RepositoryName, below: int | None, count: int) -> list[Change]:
    """At most `count` entries of all tags, the newest first; tags that are locked against lists have none.

    `below`: only entries with a smaller id. The ids come from one index, which holds all that they are chosen by.
    """
    number = tag_history.c.id + 0  # not as the key of the table, which would be walked for all repositories
    here = (tag_history.c.repository == repository) & tag_history.c.tag.not_in(_UNLISTED)
    ids = select(tag_history.c.id).where(here if below is None else here & (number < below))
    who = select(principals.c.name).where(principals.c.id == tag_history.c.principal).scalar_subquery()
    asked = select(
        *_COLUMNS, tag_history.c.tag, func.coalesce(who, tag_history.c.principal), tag_history.c.digest.in_(_UNLISTED)
    ).where(tag_history.c.id.in_(ids.order_by(number.desc()).limit(count)))
    rows = connection.execute(asked.order_by(tag_history.c.id.desc()), {"here": repository})
    return [Change(Tag(row[-3]), _entry(row[:-3]), row[-2], bool(row[-1])) for row in rows]


def exists_of(connection: Connection, repository: RepositoryName, tag: Tag) -> bool:
    """Whether a tag has any history."""
    return _LAST_ENTRY.first(connection, {"here": repository, "named": tag}) is not None


def at(connection: Connection, repository: RepositoryName, tag: Tag, time: float) -> Entry | None:
    """The entry that counted at a time (seconds since the epoch); `None` when history does not go back so far."""
    here = (tag_history.c.repository == repository) & (tag_history.c.tag == tag) & (tag_history.c.time <= time)
    row = connection.execute(select(*_COLUMNS).where(here).order_by(tag_history.c.id.desc()).limit(1)).first()
    return None if row is None else _entry(row)


def latest_other(connection: Connection, repository: RepositoryName, tag: Tag, present: Digest | None) -> Entry | None:
    """The newest entry that is no deletion, and not of the present manifest."""
    here = (tag_history.c.repository == repository) & (tag_history.c.tag == tag) & ~tag_history.c.deleted
    asked = select(*_COLUMNS).where(here, tag_history.c.digest != (present or ""))
    row = connection.execute(asked.order_by(tag_history.c.id.desc()).limit(1)).first()
    return None if row is None else _entry(row)


def kept_since(repository: ColumnElement[Any], digest: ColumnElement[Any], since: ColumnElement[Any]) -> Any:
    """The condition that a tag of a repository (its name) pointed at a manifest after a time; parts of a statement."""
    left = exists().where(
        tag_history.c.repository == repository,
        tag_history.c.digest == digest,
        tag_history.c.until > since,
        ~tag_history.c.deleted,
    )
    return left.correlate_except(tag_history)  # where the statement around it reads history too


def tags_since(connection: Connection, repository: str, digest: Digest, since: float) -> list[tuple[Tag, float]]:
    """The tags that pointed at a manifest after a time, and until when (seconds since the epoch)."""
    last = func.max(tag_history.c.until)
    here = (tag_history.c.repository == repository) & (tag_history.c.digest == digest)
    asked = select(tag_history.c.tag, last).where(here, tag_history.c.until > since, ~tag_history.c.deleted)
    rows = connection.execute(asked.group_by(tag_history.c.tag).order_by(tag_history.c.tag))
    return [(Tag(tag), until) for tag, until in rows]


def left_at(connection: Connection, repository: str) -> dict[str, float]:
    """When a tag last left each manifest of a repository that one has left, seconds since the epoch."""
    here = (tag_history.c.repository == repository) & tag_history.c.until.is_not(None) & ~tag_history.c.deleted
    rows = connection.execute(
        select(tag_history.c.digest, func.max(tag_history.c.until)).where(here).group_by(tag_history.c.digest)
    )
    return {digest: until for digest, until in rows}  # noqa: C416 - rows are no tuples for mypy


def forget_before(connection: Connection, time: float) -> int:
    """Remove the entries that count no more since before a time (seconds since the epoch); returns how many."""
    return connection.execute(delete(tag_history).where(tag_history.c.until < time)).rowcount


def _row(  # noqa: PLR0913, PLR0917
    repository: str, tag: str, digest: str, media_type: str, size: int, now: float, principal: str
) -> dict[str, Any]:
    return {
        "repository": repository,
        "tag": tag,
        "digest": digest,
        "media_type": media_type,
        "size": size,
        "time": now,
        "until": None,
        "deleted": False,
        "principal": principal,
    }


def _within(asked: Select[Any], span: Span) -> Select[Any]:
    bounds = (
        None if span.before is None else tag_history.c.time < span.before,
        None if span.since is None else tag_history.c.time > span.since,
        None if span.digest is None else tag_history.c.digest == span.digest,
        None if span.below is None else tag_history.c.id < span.below,
    )
    return asked.where(*(bound for bound in bounds if bound is not None))


def _entry(row: Any) -> Entry:
    return Entry(row[0], Digest(row[1]), row[2], row[3], row[4], bool(row[5]), row[6])
