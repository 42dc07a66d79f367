"""Uploads that nodes share: who opened them, which bytes were acknowledged, and which request works on each.

An upload has a row from its first byte on, and keeps it when it is over: before that its id says all there is
(`registry.content.upload_ids`). A request claims an upload for a while, by the clock of the database, and renews its
claim while bytes come. Nothing is acknowledged under a claim that was lost.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, select, update

from registry.database.dialects import database_time, insert, or_update, unless_there
from registry.database.statement import Statement, autocommit, untold
from registry.metadata.many_digests import batches
from registry.metadata.tables import upload_pieces, uploads


@dataclass(frozen=True, slots=True)
class SharedUpload:
    """One upload.

    Attributes:
        id: a UUID.
        repository: where its blob will be shown.
        algorithm: hashes the bytes as they come.
        principal: id of who opened it.
        started: seconds since the epoch.
        size: bytes that were acknowledged.
        digest: the blob that it became, or `CANCELLED`; empty while it is open.
    """

    id: str
    repository: str
    algorithm: str
    principal: str
    started: float
    size: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Acknowledged bytes of an upload: an object, or these.

    Attributes:
        start: its first byte within the upload.
        size: bytes.
        name: of its object; empty where `content` has its bytes.
        content: its bytes, or none.
    """

    start: int
    size: int
    name: str
    content: bytes


CANCELLED = "-"
"""In the place of a digest: it became none, and nobody can go on with it."""
_FIELDS = tuple(uploads.c[name] for name in SharedUpload.__dataclass_fields__)
_OPEN = uploads.c.digest == ""
_NAMED = uploads.c.id == bindparam("upload")
_MINE = _NAMED & (uploads.c.holder == bindparam("by"))
_FREE = (uploads.c.holder == "") | (uploads.c.until < database_time())
_FIND = Statement(select(*_FIELDS).where(_NAMED))
_HELD = Statement(select(uploads.c.id).where(_NAMED, ~_FREE))
_COUNT = Statement(select(func.count()).select_from(uploads).where(uploads.c.principal == bindparam("of"), _OPEN))
_COLUMNS = (*SharedUpload.__dataclass_fields__, "changed", "holder", "until")
_ADD = Statement(unless_there(insert(uploads)), _COLUMNS)
_UNTIL = database_time() + bindparam("seconds")
_CLAIM = Statement(
    update(uploads).where(_NAMED, _OPEN, _FREE).values(holder=bindparam("by"), until=_UNTIL).returning(*_FIELDS)
)
_RENEW = Statement(update(uploads).where(_MINE).values(until=_UNTIL))
_RELEASE = Statement(update(uploads).where(_MINE).values(holder=""))
_GROWN = Statement(
    update(uploads)
    .where(_MINE)
    .values(holder="", size=bindparam("held", type_=uploads.c.size.type), changed=bindparam("at"))
)
_ADD_ENDED = Statement(or_update(insert(uploads), ("id",), where=_OPEN & (uploads.c.size == 0)), _COLUMNS)
_ADD_PIECE = Statement(insert(upload_pieces), ("upload_id", *Piece.__dataclass_fields__))
_PIECES = Statement(
    select(*(upload_pieces.c[name] for name in Piece.__dataclass_fields__))
    .where(upload_pieces.c.upload_id == bindparam("upload"), upload_pieces.c.start >= bindparam("first"))
    .order_by(upload_pieces.c.start)
    .limit(bindparam("count"))
)
_DROP_PIECES = Statement(
    delete(upload_pieces).where(upload_pieces.c.upload_id == bindparam("upload")).returning(upload_pieces.c.name)
)
_BECOME = Statement(
    update(uploads)
    .where(_MINE)
    .values(holder="", digest=bindparam("blob"), changed=bindparam("at"))
    .returning(uploads.c.size)
)
_EXPIRED = Statement(
    select(uploads.c.id).where(_OPEN, _FREE, uploads.c.changed < bindparam("before")).limit(bindparam("count"))
)
_EXPIRE = Statement(update(uploads).where(_NAMED, _OPEN, _FREE).values(digest=CANCELLED))
_NEWEST = Statement(
    select(uploads.c.changed).where(~_OPEN).order_by(uploads.c.changed.desc()).offset(bindparam("kept")).limit(1)
)
_FORGET = Statement(delete(uploads).where(~_OPEN, uploads.c.changed <= bindparam("upto")))


@untold
def add(connection: Connection, upload: SharedUpload, maximum: int, at: float) -> bool:
    """Note an upload, if it is not yet; `False` when its principal has as many open as allowed (0: no limit)."""
    if maximum and _COUNT.scalar(connection, {"of": upload.principal}) >= maximum:
        return False
    _ADD.apply(connection, _row(upload, at))
    return True


@untold
def add_ended(connection: Connection, upload: SharedUpload, at: float) -> None:
    """Note what became of an upload that has no row; where it has one by now, end it unless bytes have come."""
    _ADD_ENDED.apply(connection, _row(upload, at))


def _row(upload: SharedUpload, at: float) -> dict[str, str | float]:
    """Unclaimed."""
    return {name: getattr(upload, name) for name in SharedUpload.__dataclass_fields__} | {
        "changed": at,
        "holder": "",
        "until": 0.0,
    }


@autocommit
def find(connection: Connection, upload: str) -> SharedUpload | None:
    """The upload with this id, open or not."""
    row = _FIND.first(connection, {"upload": upload})
    return None if row is None else SharedUpload(*row)


def these(connection: Connection, ids: Collection[str]) -> dict[str, SharedUpload]:
    """Those of some ids that are known, by id."""
    found = (
        SharedUpload(*row)
        for some in batches(ids)
        for row in connection.execute(select(*_FIELDS).where(uploads.c.id.in_(some)))
    )
    return {upload.id: upload for upload in found}


@autocommit
def is_held(connection: Connection, upload: str) -> bool:
    """Whether a request has an upload claimed."""
    return _HELD.first(connection, {"upload": upload}) is not None


@untold
def claim(connection: Connection, upload: str, by: str, seconds: float) -> tuple[SharedUpload | None, bool]:
    """Claim an open upload for a request, for so long; the upload, and whether it is the request's now."""
    row = _CLAIM.first(connection, {"upload": upload, "by": by, "seconds": seconds})
    return (find(connection, upload), False) if row is None else (SharedUpload(*row), True)


@untold
def renew(connection: Connection, upload: str, by: str, seconds: float) -> bool:
    """Have a claim end so many seconds from now; `False` when it was lost."""
    return _RENEW.change(connection, {"upload": upload, "by": by, "seconds": seconds}) == 1


@untold
def release(connection: Connection, upload: str, by: str) -> None:
    """End a claim; nothing has changed."""
    _RELEASE.apply(connection, {"upload": upload, "by": by})


@untold
def grow(connection: Connection, upload: str, by: str, pieces: Sequence[Piece], at: float) -> bool:
    """Acknowledge the next bytes of an upload, and end the claim; `False`, and nothing changed, when it was lost."""
    size = pieces[-1].start + pieces[-1].size
    if _GROWN.change(connection, {"upload": upload, "by": by, "held": size, "at": at}) != 1:
        return False
    names = Piece.__dataclass_fields__
    values = [{name: getattr(piece, name) for name in names} | {"upload_id": upload} for piece in pieces]
    _ADD_PIECE.change_each(connection, values)
    return True


def pieces_from(connection: Connection, upload: str, first: int, count: int) -> list[Piece]:
    """At most `count` pieces, from the one that starts at the byte `first` on, in their order."""
    rows = _PIECES.rows(connection, {"upload": upload, "first": first, "count": count})
    return [Piece(row[0], row[1], row[2], bytes(row[3])) for row in rows]


@untold
def end_empty(connection: Connection, upload: str, by: str, digest: str, at: float) -> None:
    """`end` for one that became a blob in one request: it has no pieces, and nobody waits for an answer."""
    _BECOME.apply(connection, {"upload": upload, "by": by, "blob": digest, "at": at})


@untold
def end(connection: Connection, upload: str, by: str, digest: str, at: float) -> list[str]:
    """End an upload that became a blob, or `CANCELLED`.

    Returns the names of objects that nobody needs any more. Nothing changes when the claim was lost.
    """
    size = _BECOME.scalar(connection, {"upload": upload, "by": by, "blob": digest, "at": at})
    return _drop_pieces(connection, upload) if size else []


@untold
def expire(connection: Connection, before: float, count: int) -> list[str]:
    """End at most `count` open uploads that nothing has changed since; their ids."""
    ids = [row[0] for row in _EXPIRED.rows(connection, {"before": before, "count": count})]
    return [upload for upload in ids if _has_expired(connection, upload)]


def _has_expired(connection: Connection, upload: str) -> bool:
    """End an upload and forget its pieces, unless a request has claimed it meanwhile."""
    if _EXPIRE.change(connection, {"upload": upload}) != 1:
        return False
    _drop_pieces(connection, upload)
    return True


def _drop_pieces(connection: Connection, upload: str) -> list[str]:
    """Forget an upload's pieces; the names of their objects."""
    return [row[0] for row in _DROP_PIECES.rows(connection, {"upload": upload}) if row[0]]


@untold
def forget_outcomes(connection: Connection, kept: int) -> int:
    """Forget what became of uploads, but of so many; returns how many were forgotten."""
    upto = _NEWEST.scalar(connection, {"kept": kept})
    return 0 if upto is None else _FORGET.change(connection, {"upto": upto})
