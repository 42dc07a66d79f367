"""What was last told of each manifest by whoever joined the registry: words that hold of it, and by what.

The registry does not interpret them. They belong to the row of their manifest, and are removed with it. What is told
now is written in one transaction with its event, so that it is told once, whatever ends the process.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, union

from registry.database.dialects import insert, or_update
from registry.database.statement import Statement
from registry.metadata import events
from registry.metadata.events import Event, Kind
from registry.metadata.many_digests import batches
from registry.metadata.tables import events as event_rows
from registry.metadata.tables import manifest_references, manifests, repositories, told_marks
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class ToldMark:
    """A manifest, and what was last told of it.

    Attributes:
        row: id of its row.
        repository, digest: it.
        words: what was told; `None`: nothing; "": nothing, and what holds of it is no news.
        basis: by what it held.
    """

    row: int
    repository: RepositoryName
    digest: Digest
    words: str | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What is told of a manifest from now on.

    Attributes:
        mark: it, and what was told before.
        words: what holds of it.
        basis: by what it holds.
        event: tells of it; `None` where it is only written down.
    """

    mark: ToldMark
    words: str
    basis: str
    event: Event | None


_COLUMNS = (manifests.c.id, repositories.c.name, manifests.c.digest, told_marks.c.words, told_marks.c.basis)
_OF = select(*_COLUMNS).select_from(manifests).join(repositories).outerjoin(told_marks)
_PAGE = _OF.where(manifests.c.id > bindparam("after")).order_by(manifests.c.id).limit(bindparam("count"))
_KINDS = (Kind.MANIFEST_PUSHED, Kind.MANIFEST_RESTORED, Kind.MANIFEST_DELETED)
_MEANT = (
    select(repositories.c.id.label("repository_id"), event_rows.c.digest.label("digest"))
    .join(repositories, repositories.c.name == event_rows.c.repository)
    .where(event_rows.c.id > bindparam("after"), event_rows.c.id <= bindparam("until"), event_rows.c.kind.in_(_KINDS))
    .distinct()
    .cte("meant")
)
_HERE = (manifests.c.repository_id == _MEANT.c.repository_id) & (manifests.c.digest == _MEANT.c.digest)
_ABOVE = (manifest_references.c.repository_id == _MEANT.c.repository_id) & (
    manifest_references.c.digest == _MEANT.c.digest
)
_CONCERNED = union(
    select(manifests.c.id).join(_MEANT, _HERE),
    select(manifest_references.c.manifest_id).join(_MEANT, _ABOVE).where(manifest_references.c.kind == "child"),
)
_TELL = Statement(
    or_update(
        insert(told_marks).from_select(
            ["manifest_id", "words", "basis"],
            select(manifests.c.id, bindparam("words"), bindparam("basis"))
            .select_from(manifests)
            .outerjoin(told_marks)
            .where(manifests.c.id == bindparam("row"), told_marks.c.words.is_not_distinct_from(bindparam("before"))),
        ),
        ["manifest_id"],
    )
)


def page(connection: Connection, after: int, count: int) -> list[ToldMark]:
    """Manifests of all repositories, the oldest first: at most `count` whose row number is above `after`."""
    return [_mark(row) for row in connection.execute(_PAGE, {"after": after, "count": count})]


def concerned(connection: Connection, after: int, until: int) -> list[ToldMark]:
    """The manifests that were pushed or restored in the events after one and up to another, and indexes that name them
    or one that was deleted.
    """
    ids = connection.execute(_CONCERNED, {"after": after, "until": until}).scalars().all()
    return of(connection, ids)


def of(connection: Connection, ids: Collection[int]) -> list[ToldMark]:
    """Those of some rows that are still there."""
    return [_mark(row) for some in batches(ids) for row in connection.execute(_OF.where(manifests.c.id.in_(some)))]


def tell(connection: Connection, now: float, news: Sequence[News]) -> int:
    """Write down what is told, with its events; returns of how many manifests.

    Those that have gone are left out, and those of which something was told meanwhile.

    Args:
        connection: to write with.
        now: seconds since the epoch.
        news: of several manifests.
    """
    told = [each for each in news if _TELL.change(connection, _values(each))]
    events.record(connection, now, [each.event for each in told if each.event is not None])
    return len(told)


def _values(news: News) -> dict[str, object]:
    return {
        "row": news.mark.row,
        "before": news.mark.words,
        "words": news.words,
        "basis": news.basis,
    }


def _mark(row: Any) -> ToldMark:
    return ToldMark(row[0], RepositoryName(row[1]), Digest(row[2]), row[3], row[4] or "")
