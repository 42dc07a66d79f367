"""Uploads that nodes share: who opened them, which bytes were acknowledged, and which request works on each.

A request claims an upload for a while, by the clock of the database, and renews its claim while bytes come. Nothing is
acknowledged under a claim that was lost.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from registry.database.dialects import database_time
from registry.database.statement import autocommit, untold
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
        digest: the blob that it became; empty while it is open.
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


_FIELDS = tuple(uploads.c[name] for name in SharedUpload.__dataclass_fields__)
_OPEN = uploads.c.digest == ""
_NAMED = uploads.c.id == bindparam("upload")
_MINE = _NAMED & (uploads.c.holder == bindparam("by"))
_FREE = (uploads.c.holder == "") | (uploads.c.until < database_time())
_FIND = select(*_FIELDS).where(_NAMED)
_HELD = select(uploads.c.id).where(_NAMED, ~_FREE)
_COUNT = select(func.count()).select_from(uploads).where(uploads.c.principal == bindparam("of"), _OPEN)
_UNTIL = database_time() + bindparam("seconds")
_CLAIM = update(uploads).where(_NAMED, _OPEN, _FREE).values(holder=bindparam("by"), until=_UNTIL)
_RENEW = update(uploads).where(_MINE).values(until=_UNTIL)
_RELEASE = update(uploads).where(_MINE).values(holder="")
_GROWN = (
    update(uploads)
    .where(_MINE)
    .values(holder="", size=bindparam("held", type_=uploads.c.size.type), changed=bindparam("at"))
)
_PIECES = (
    select(*(upload_pieces.c[name] for name in Piece.__dataclass_fields__))
    .where(upload_pieces.c.upload_id == bindparam("upload"), upload_pieces.c.start >= bindparam("first"))
    .order_by(upload_pieces.c.start)
    .limit(bindparam("count"))
)
_OBJECTS = select(upload_pieces.c.name).where(
    upload_pieces.c.upload_id == bindparam("upload"), upload_pieces.c.name != ""
)
_DROP_PIECES = delete(upload_pieces).where(upload_pieces.c.upload_id == bindparam("upload"))
_BECOME = update(uploads).where(_MINE).values(holder="", digest=bindparam("blob"), changed=bindparam("at"))
_REMOVE = delete(uploads).where(_MINE)
_EXPIRED = select(uploads.c.id).where(_OPEN, _FREE, uploads.c.changed < bindparam("before")).limit(bindparam("count"))
_EXPIRE = delete(uploads).where(_NAMED, _OPEN, _FREE)
_NEWEST = select(uploads.c.changed).where(~_OPEN).order_by(uploads.c.changed.desc()).offset(bindparam("kept")).limit(1)
_FORGET = delete(uploads).where(~_OPEN, uploads.c.changed <= bindparam("upto"))


@untold
def add(connection: Connection, upload: SharedUpload, maximum: int) -> bool:
    """Note a new upload; `False` when its principal has as many open as allowed (0: no limit)."""
    if maximum and connection.execute(_COUNT, {"of": upload.principal}).scalar_one() >= maximum:
        return False
    values = {name: getattr(upload, name) for name in SharedUpload.__dataclass_fields__}
    connection.execute(insert(uploads), values | {"changed": upload.started, "holder": "", "until": 0.0})
    return True


@autocommit
def find(connection: Connection, upload: str) -> SharedUpload | None:
    """The upload with this id, open or not."""
    row = connection.execute(_FIND, {"upload": upload}).first()
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
    return connection.execute(_HELD, {"upload": upload}).first() is not None


@untold
def claim(connection: Connection, upload: str, by: str, seconds: float) -> tuple[SharedUpload | None, bool]:
    """Claim an open upload for a request, for so long; the upload, and whether it is the request's now."""
    taken = connection.execute(_CLAIM, {"upload": upload, "by": by, "seconds": seconds}).rowcount == 1
    return find(connection, upload), taken


@untold
def renew(connection: Connection, upload: str, by: str, seconds: float) -> bool:
    """Have a claim end so many seconds from now; `False` when it was lost."""
    return connection.execute(_RENEW, {"upload": upload, "by": by, "seconds": seconds}).rowcount == 1


@untold
def release(connection: Connection, upload: str, by: str) -> None:
    """End a claim; nothing has changed."""
    connection.execute(_RELEASE, {"upload": upload, "by": by})


@untold
def grow(connection: Connection, upload: str, by: str, pieces: Sequence[Piece], at: float) -> bool:
    """Acknowledge the next bytes of an upload, and end the claim; `False`, and nothing changed, when it was lost."""
    size = pieces[-1].start + pieces[-1].size
    if connection.execute(_GROWN, {"upload": upload, "by": by, "held": size, "at": at}).rowcount != 1:
        return False
    names = Piece.__dataclass_fields__
    values = [{name: getattr(piece, name) for name in names} | {"upload_id": upload} for piece in pieces]
    connection.execute(insert(upload_pieces), values)
    return True


def pieces_from(connection: Connection, upload: str, first: int, count: int) -> list[Piece]:
    """At most `count` pieces, from the one that starts at the byte `first` on, in their order."""
    rows = connection.execute(_PIECES, {"upload": upload, "first": first, "count": count})
    return [Piece(row[0], row[1], row[2], bytes(row[3])) for row in rows]


@untold
def end(connection: Connection, upload: str, by: str, digest: str, at: float) -> list[str]:
    """End an upload that became a blob, or forget it where `digest` is empty.

    Returns the names of objects that nobody needs any more. Nothing changes when the claim was lost.
    """
    values = {"upload": upload, "by": by}
    names = list(connection.execute(_OBJECTS, {"upload": upload}).scalars())
    change = connection.execute(_BECOME, values | {"blob": digest, "at": at}) if digest else None
    met = connection.execute(_REMOVE, values) if change is None else change
    if met.rowcount != 1:
        return []
    connection.execute(_DROP_PIECES, {"upload": upload})
    return names


@untold
def expire(connection: Connection, before: float, count: int) -> list[str]:
    """Forget at most `count` open uploads that nothing has changed since; their ids."""
    ids = list(connection.execute(_EXPIRED, {"before": before, "count": count}).scalars())
    return [upload for upload in ids if _has_expired(connection, upload)]


def _has_expired(connection: Connection, upload: str) -> bool:
    """Forget an upload with its pieces, unless a request has claimed it meanwhile."""
    if connection.execute(_EXPIRE, {"upload": upload}).rowcount != 1:
        return False
    connection.execute(_DROP_PIECES, {"upload": upload})
    return True


@untold
def forget_outcomes(connection: Connection, kept: int) -> int:
    """Forget what became of uploads, but of so many; returns how many were forgotten."""
    upto = connection.execute(_NEWEST, {"kept": kept}).scalar()
    return 0 if upto is None else connection.execute(_FORGET, {"upto": upto}).rowcount
