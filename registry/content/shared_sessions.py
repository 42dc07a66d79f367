"""Upload sessions that several nodes share: any node serves any request of an upload.

A row says who opened it and which bytes were acknowledged; these are pieces in the object store, and few bytes are in
rows. A node has the bytes in a file as well, as on one machine: it hashes them, and inspection follows it. Bytes that
another node has received are brought there before a request goes on (docs/adr/0072-uploads-of-several-nodes.md).
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial

import structlog
from sqlalchemy import Connection

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.open_uploads import too_many_open
from registry.content.session_log import Outcome
from registry.content.session_records import OwnSessions, is_canonical
from registry.content.shared_pieces import SharedPieces, lost_from
from registry.content.upload_claim import TAKEN_OVER
from registry.content.upload_ids import UploadIds
from registry.content.upload_session import Share, UploadSession
from registry.database.statement import untold
from registry.metadata import shared_uploads as rows
from registry.metadata.shared_uploads import CANCELLED, SharedUpload
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown, OciError, Unavailable
from registry.oci.names import RepositoryName
from registry.storage.blob_store import Opening, Staging
from registry.storage.pieces import Pieces

_FETCHED = 32
"""Pieces that are looked up at once."""
_LOOK = 0.2
"""Seconds between two looks at a claim that is in the way."""
_TIDY = 1.0
"""Seconds between two looks at what other nodes have gone on with."""
_RETRY = {"Retry-After": "5"}
_EXPIRED = 100


class SharedSessions:
    """See `registry.content.session_records.SessionRecords`.

    Args:
        own: sessions that are this node's alone, as those of imports.
        pieces: where acknowledged bytes are.
        metadata: the rows, which all nodes share.
        settings: read anew for each request.
        store: id of the rows.
    """

    def __init__(
        self,
        own: OwnSessions,
        pieces: Pieces,
        metadata: MetadataStore,
        settings: SettingsInForce[RegistrySettings],
        store: str,
    ) -> None:
        self.open = own.open
        self._own = own
        self._pieces = SharedPieces(pieces, metadata)
        self._metadata = metadata
        self._settings = settings
        self._ids = UploadIds(store)
        self._worked_on: dict[str, UploadSession] = {}
        self._releasing: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger(__name__)

    def new_id(self, opening: Opening) -> str:
        """One that any node knows by itself."""
        return self._ids.new(opening)

    async def opened(self, session: UploadSession) -> None:
        """Its id says that it is."""
        self.open.forget(session.id)
        session.share = Share()

    async def session(self, upload: str, repository: RepositoryName, principal: str | None) -> UploadSession:
        """One look-up."""
        held = self.open.get(upload)
        if held is not None and held.share is None:
            return held
        row = await self._row(upload)
        opening = self._without_row(upload, repository, principal) if row is None else _opening(row)
        if opening is None and held is None:
            return await self._own.session(upload, repository, principal)
        if opening is None or (row is not None and row.digest):
            raise BlobUploadUnknown
        # One that is just being ended has its file still: there are no two of one upload.
        hold = self.open.look_at if row is None else self.open.add
        session = held or self._worked_on.get(upload) or hold(UploadSession(upload, opening))
        session.share = share = session.share or Share()
        if row is not None:
            share.is_noted, share.acknowledged = True, max(share.acknowledged, row.size)
        return session

    def _without_row(self, upload: str, repository: RepositoryName, principal: str | None) -> Opening | None:
        """What an upload without a byte was opened with, unless it has expired."""
        if principal is None or not is_canonical(upload):
            return None
        opening = self._ids.opening(upload, repository, principal)
        limit = time.time() - self._settings.current.uploads.expire_seconds
        return None if opening is None or opening.started < limit else opening

    async def outcome(self, upload: str) -> Outcome | None:
        """One look-up."""
        row = await self._row(upload)
        if row is None or not row.digest:
            return await self._own.outcome(upload)
        return Outcome(_opening(row), Digest(row.digest))

    async def _row(self, upload: str) -> SharedUpload | None:
        if not is_canonical(upload):
            return None
        lookups = self._metadata.upload_lookups()
        if lookups is None:
            return await self._metadata.read(rows.find, upload)
        return (await lookups.answer_for(("", upload))).upload

    @asynccontextmanager
    async def held(self, session: UploadSession, *, whole: bool = False) -> AsyncIterator[None]:
        """A claim for `uploads.lease_seconds`, which is renewed while bytes come; who waits for it asks again.

        None for all the bytes of an upload at once: no other node needs to know of them before they are a blob.
        """
        share = session.share
        if share is None:
            yield
        elif whole and not share.is_noted:
            if session.closed:
                raise _could_not_end()
            with self._working_on(session):
                yield
        elif await self._claimed(session, share):
            async with self._holding(session, share):
                yield
        else:
            yield

    @contextmanager
    def _working_on(self, session: UploadSession) -> Iterator[None]:
        """Whoever looks for the upload meanwhile finds this session: two would write to one file."""
        if self._worked_on.get(session.id, session) is not session or self.open.add(session) is not session:
            raise Unavailable(f"{TAKEN_OVER}: ask how far it has come", headers=_RETRY)
        self._worked_on[session.id] = session
        try:
            yield
        finally:
            self._worked_on.pop(session.id, None)

    @asynccontextmanager
    async def _holding(self, session: UploadSession, share: Share) -> AsyncIterator[None]:
        renewing = asyncio.create_task(self._renew(session, share))
        try:
            with self._working_on(session):
                yield
        finally:
            renewing.cancel()
            if share.holder:
                holder, share.holder = share.holder, ""
                await self._release(session.id, holder)

    async def _release(self, upload: str, holder: str) -> None:
        with suppress(OciError):  # it ends by itself
            await self._metadata.write(rows.release, upload, holder)

    async def _claimed(self, session: UploadSession, share: Share) -> bool:
        if session.closed and (not share.is_noted or await self._is_open(session.id)):
            raise _could_not_end()
        holder = str(uuid.uuid4())
        try:
            return await self._won(session, share, holder)
        except BaseException as error:
            if share.holder or isinstance(error, asyncio.CancelledError):  # the rows may have it, or get it just now
                share.holder = ""
                releasing = asyncio.create_task(self._release(session.id, holder))
                self._releasing.add(releasing)
                releasing.add_done_callback(self._releasing.discard)
            raise

    async def _won(self, session: UploadSession, share: Share, holder: str) -> bool:
        free = True
        while True:
            if free:
                upload, taken = await self._claim(session, share, holder)
                if upload is None or upload.digest:
                    self._over(session, upload)
                    await session.unstage()
                    return False
                if taken:
                    share.holder, share.acknowledged = holder, upload.size
                    break
            await asyncio.sleep(_LOOK)
            free = not await self._metadata.read(rows.is_held, session.id)
        await session.truncate(share.kept)  # what was not acknowledged when it came: other bytes may have been since
        return True

    async def _claim(self, session: UploadSession, share: Share, holder: str) -> tuple[SharedUpload | None, bool]:
        if share.is_noted:
            return await self._metadata.write(rows.claim, session.id, holder, self._lease)
        maximum = self._settings.current.uploads.sessions_per_principal
        claimed = await self._metadata.write(_note_and_claim, _row_of(session), maximum, holder, self._lease)
        share.is_noted = True
        return claimed

    async def _is_open(self, upload: str) -> bool:
        row = await self._row(upload)
        return row is not None and not row.digest

    @property
    def _lease(self) -> float:
        return self._settings.current.uploads.lease_seconds

    def _over(self, session: UploadSession, upload: SharedUpload | None) -> None:
        session.closed = True
        session.outcome = Digest(upload.digest) if upload is not None else session.outcome
        self.open.forget(session.id)

    async def _renew(self, session: UploadSession, share: Share) -> None:
        """Renew the claim, but for a client from whom nothing has come: it makes way for a newer request."""
        came = session.claim.came()
        while True:
            await asyncio.sleep(self._lease / 3)
            before, came = came, session.claim.came()
            if came is not None and came == before:
                continue
            with suppress(OciError):
                if not share.holder:
                    return
                if not await self._metadata.write(rows.renew, session.id, share.holder, self._lease):
                    session.claim.interrupt()
                    return

    async def keep(self, session: UploadSession, staging: Staging) -> None:
        """What is acknowledged is kept elsewhere."""
        if session.share is None:
            await self._own.keep(session, staging)

    async def fetch(self, session: UploadSession) -> None:
        """Piece after piece."""
        share = session.share
        if share is None:
            return
        while session.size < share.acknowledged:
            pieces = await self._metadata.read(rows.pieces_from, session.id, session.size, _FETCHED)
            if not pieces:  # it was cancelled or has expired meanwhile
                raise BlobUploadUnknown(lost_from(session.size))
            for piece in pieces:
                if piece.start != session.size:
                    raise BlobUploadUnknown(lost_from(session.size))
                content = await self._pieces.content(session.id, piece)
                await session.staging.append([content])
                session.report(session.size)
        share.kept = session.size

    async def grown(self, session: UploadSession) -> None:
        """The bytes go to the store, then one row for each piece is added."""
        share = session.share
        if share is None or not share.holder or session.size <= share.kept:
            return
        pieces = await self._pieces.stored(session, share.kept)
        grown = await self._metadata.write(rows.grow, session.id, share.holder, pieces, time.time())
        share.holder = ""
        if not grown:
            raise Unavailable(f"{TAKEN_OVER}: ask how far it has come")
        share.acknowledged = share.kept = session.size

    @contextmanager
    def ending(self, session: UploadSession, digest: Digest) -> Iterator[Callable[[Connection], None] | None]:
        """Its row says what it became, in the same commit."""
        share = session.share
        if share is None:
            yield None
            return
        if not share.holder:
            yield partial(_note_end, session, digest)
            share.is_noted = True
            return
        names: list[str] = []

        def end(connection: Connection) -> None:
            ending = connection, session.id, share.holder, digest, time.time()
            if share.acknowledged:
                names.extend(rows.end(*ending))
            else:
                rows.end_empty(*ending)

        yield end
        share.holder = ""
        self._pieces.let_go(session.id, names)

    async def ended(self, session: UploadSession, digest: Digest | None = None) -> None:
        """Under the claim, once. An upload that cannot be ended now expires."""
        share = session.share
        if share is None:
            await self._own.ended(session, digest)
        elif share.holder:
            holder, share.holder = share.holder, ""
            with suppress(OciError):
                names = await self._metadata.write(rows.end, session.id, holder, digest or CANCELLED, time.time())
                self._pieces.let_go(session.id, names)
        elif not share.is_noted:
            with suppress(OciError):
                await self._metadata.write(rows.add_ended, _row_of(session, digest or CANCELLED), time.time())
                share.is_noted = True

    async def committed(self, upload: str, digest: Digest) -> Opening | None:
        """Only of this node's own: bytes of the others are there until their row says what they became."""
        return await self._own.committed(upload, digest)

    async def forget(self, upload: str, digest: Digest | None = None) -> None:
        """Only of this node, where no request works on it: others may go on with it."""
        if upload not in self._worked_on:
            await self._own.forget(upload, digest)

    async def expire(self, limit: float) -> int:
        """Of all nodes, by the one that leads."""
        count = await self._own.expire(limit)
        if not self._metadata.leads():
            return count
        while ids := await self._metadata.write(rows.expire, limit, _EXPIRED):
            count += len(ids)
        await self._metadata.write(rows.forget_outcomes, self._settings.current.uploads.outcomes)
        await self._pieces.remove_orphans()
        return count

    async def run(self) -> None:
        """Let go of what other nodes have gone on with, and of pieces that nobody needs."""
        while True:
            await asyncio.sleep(_TIDY)
            with suppress(OciError):
                await self._pieces.remove_unneeded()
                await self._let_go()

    async def _let_go(self) -> None:
        idle = [session for session in self.open if session.share is not None and not session.claim.taken]
        known = await self._metadata.read(rows.these, [session.id for session in idle]) if idle else {}
        for session in idle:
            if session.claim.taken:
                continue
            async with session.claim.held(0.0):
                upload = known.get(session.id)
                if session.closed:
                    continue
                if upload is None:  # or it has come since: the next request fetches its bytes
                    await session.unstage()
                    self.open.forget(session.id)
                elif upload.digest:
                    self._over(session, upload)
                    await session.unstage()
                elif upload.size > session.size:
                    await session.unstage()


@untold
def _note_and_claim(
    connection: Connection, upload: SharedUpload, maximum: int, by: str, seconds: float
) -> tuple[SharedUpload | None, bool]:
    """Have a row for an upload, whose first bytes come, and claim it.

    Raises:
        Unavailable: its principal has too many.
    """
    if not rows.add(connection, upload, maximum, time.time()):
        raise too_many_open(maximum)
    return rows.claim(connection, upload.id, by, seconds)


def _note_end(session: UploadSession, digest: Digest, connection: Connection) -> None:
    rows.add_ended(connection, _row_of(session, digest), time.time())


def _could_not_end() -> Unavailable:
    return Unavailable("the request before this one could not end the upload: try again", headers=_RETRY)


def _row_of(session: UploadSession, digest: str = "") -> SharedUpload:
    opening = session.opening
    return SharedUpload(
        session.id, opening.repository, opening.algorithm, opening.principal, opening.started, digest=digest
    )


def _opening(row: SharedUpload) -> Opening:
    return Opening(row.repository, row.algorithm, row.principal, row.started)
