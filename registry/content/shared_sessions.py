"""Upload sessions that several nodes share: any node serves any request of an upload.

A row says who opened it and which bytes were acknowledged; these are pieces in the object store, and few bytes are in
rows. A node has the bytes in a file as well, as on one machine: it hashes them, and inspection follows it. Bytes that
another node has received are brought there before a request goes on (docs/adr/0072-uploads-of-several-nodes.md).
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import structlog
from sqlalchemy import Connection

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.open_uploads import too_many_open
from registry.content.session_log import Outcome
from registry.content.session_records import OwnSessions, is_canonical
from registry.content.upload_claim import TAKEN_OVER
from registry.content.upload_session import Share, UploadSession
from registry.metadata import shared_uploads as rows
from registry.metadata.shared_uploads import Piece, SharedUpload
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown, OciError, Unavailable
from registry.storage.blob_store import Opening, Staging
from registry.storage.disk.errors import disk_refusals
from registry.storage.pieces import Pieces

_SMALL = 64 * 1024
"""Bytes of a piece that is kept in its row."""
_AT_ONCE = 2
"""Pieces on their way to the store."""
_FETCHED = 32
"""Pieces that are looked up at once."""
_LOOK = 0.2
"""Seconds between two looks at a claim that is in the way."""
_TIDY = 1.0
"""Seconds between two looks at what other nodes have gone on with."""
_RETRY = {"Retry-After": "5"}
_EXPIRED = 100
_ORPHAN_SECONDS = 3600.0
"""Age of a piece that no upload has, before it is removed: one that is just being noted is younger."""


class SharedSessions:
    """See `registry.content.session_records.SessionRecords`.

    Args:
        own: sessions that are this node's alone, as those of imports.
        pieces: where acknowledged bytes are.
        metadata: the rows, which all nodes share.
        settings: read anew for each request.
    """

    def __init__(
        self, own: OwnSessions, pieces: Pieces, metadata: MetadataStore, settings: SettingsInForce[RegistrySettings]
    ) -> None:
        self.open = own.open
        self._own = own
        self._pieces = pieces
        self._metadata = metadata
        self._settings = settings
        self._unneeded: list[tuple[str, Sequence[str]]] = []
        self._worked_on: dict[str, UploadSession] = {}
        self._log = structlog.get_logger(__name__)

    async def opened(self, session: UploadSession) -> None:
        """One row."""
        maximum = self._settings.current.uploads.sessions_per_principal
        upload = SharedUpload(session.id, session.repository, session.algorithm, session.principal_id, session.started)
        if not await self._metadata.write(rows.add, upload, maximum):
            raise too_many_open(maximum)
        session.share = Share()

    async def session(self, upload: str) -> UploadSession:
        """One look-up."""
        held = self.open.get(upload)
        if held is not None and held.share is None:
            return held
        row = await self._row(upload)
        if row is None and held is None:
            return await self._own.session(upload)
        if row is None or row.digest:
            raise BlobUploadUnknown
        # One that is just being ended has its file still: there are no two of one upload.
        session = held or self._worked_on.get(upload) or self.open.add(UploadSession(upload, _opening(row)))
        session.share = session.share or Share()
        session.share.acknowledged = max(session.share.acknowledged, row.size)
        return session

    async def outcome(self, upload: str) -> Outcome | None:
        """One look-up."""
        row = await self._row(upload)
        if row is None or not row.digest:
            return await self._own.outcome(upload)
        return Outcome(_opening(row), Digest(row.digest))

    async def _row(self, upload: str) -> SharedUpload | None:
        return await self._metadata.read(rows.find, upload) if is_canonical(upload) else None

    @asynccontextmanager
    async def held(self, session: UploadSession) -> AsyncIterator[None]:
        """A claim for `uploads.lease_seconds`, which is renewed while bytes come; who waits for it asks again."""
        share = session.share
        if share is None or not await self._claimed(session, share):
            yield
            return
        self._worked_on[session.id] = session
        renewing = asyncio.create_task(self._renew(session, share))
        try:
            yield
        finally:
            renewing.cancel()
            self._worked_on.pop(session.id, None)
            if share.holder:
                holder, share.holder = share.holder, ""
                with suppress(OciError):  # it ends by itself
                    await self._metadata.write(rows.release, session.id, holder)

    async def _claimed(self, session: UploadSession, share: Share) -> bool:
        if session.closed and await self._is_open(session.id):
            raise Unavailable("the request before this one could not end the upload: try again", headers=_RETRY)
        holder, free = str(uuid.uuid4()), True
        while True:
            if free:
                upload, taken = await self._metadata.write(rows.claim, session.id, holder, self._lease)
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
                raise BlobUploadUnknown(_lost_from(session.size))
            for piece in pieces:
                if piece.start != session.size:
                    raise BlobUploadUnknown(_lost_from(session.size))
                content = await self._content(session.id, piece)
                await session.staging.append([content])
                session.report(session.size)
        share.kept = session.size

    async def _content(self, upload: str, piece: Piece) -> bytes:
        content = await self._pieces.get(upload, piece.name) if piece.name else piece.content
        if content is None:
            raise BlobUploadUnknown(_lost_from(piece.start))
        if len(content) != piece.size:
            raise Unavailable(f"the store sent {len(content)} bytes of {piece.size}: try again", headers=_RETRY)
        return content

    async def grown(self, session: UploadSession) -> None:
        """The bytes go to the store, then one row for each piece is added."""
        share = session.share
        if share is None or not share.holder or session.size <= share.kept:
            return
        pieces = await self._stored(session, share.kept)
        grown = await self._metadata.write(rows.grow, session.id, share.holder, pieces, time.time())
        share.holder = ""
        if not grown:
            raise Unavailable(f"{TAKEN_OVER}: ask how far it has come")
        share.acknowledged = share.kept = session.size

    async def _stored(self, session: UploadSession, start: int) -> list[Piece]:
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def stored(at: int) -> Piece:
            async with at_once:
                return await self._piece(session, at, min(self._pieces.piece_bytes, session.size - at))

        starts = range(start, session.size, self._pieces.piece_bytes)
        pieces: list[Piece] = []
        for done in await asyncio.gather(*map(stored, starts), return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
            pieces.append(done)
        return pieces

    async def _piece(self, session: UploadSession, start: int, length: int) -> Piece:
        with disk_refusals():
            content = await asyncio.to_thread(session.staging.read_at, start, length)
        if length <= _SMALL:
            return Piece(start, length, "", content)
        return Piece(start, length, await self._pieces.put(session.id, start, content), b"")

    @contextmanager
    def ending(self, session: UploadSession, digest: Digest) -> Iterator[Callable[[Connection], None] | None]:
        """Its row says what it became, in the same commit."""
        share = session.share
        if share is None or not share.holder:
            yield None
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
        self._unneeded += [(session.id, names)] if names else []

    async def ended(self, session: UploadSession, digest: Digest | None = None) -> None:
        """Under the claim, once. An upload that cannot be ended now expires."""
        share = session.share
        if share is None:
            await self._own.ended(session, digest)
        elif share.holder:
            holder, share.holder = share.holder, ""
            with suppress(OciError):
                names = await self._metadata.write(rows.end, session.id, holder, digest or "", time.time())
                self._unneeded += [(session.id, names)] if names else []

    async def committed(self, upload: str, digest: Digest) -> Opening | None:
        """Only of this node's own: bytes of the others are there until their row says what they became."""
        return await self._own.committed(upload, digest)

    async def forget(self, upload: str, digest: Digest | None = None) -> None:
        """Only of this node: others may go on with it."""
        await self._own.forget(upload, digest)

    async def expire(self, limit: float) -> int:
        """Of all nodes, by the one that leads."""
        count = await self._own.expire(limit)
        if not self._metadata.leads():
            return count
        while ids := await self._metadata.write(rows.expire, limit, _EXPIRED):
            count += len(ids)
        await self._metadata.write(rows.forget_outcomes, self._settings.current.uploads.outcomes)
        await self._remove_orphans()
        return count

    async def _remove_orphans(self) -> None:
        """Pieces of uploads that are over, or that were not noted any more."""
        old: dict[str, list[str]] = {}
        async for upload, name, stored in self._pieces.kept():
            if stored < time.time() - _ORPHAN_SECONDS:
                old.setdefault(upload, []).append(name)
        known = await self._metadata.read(rows.these, list(old))
        for upload, names in old.items():
            if upload not in known or known[upload].digest:
                await self._pieces.remove(upload, names)

    async def run(self) -> None:
        """Let go of what other nodes have gone on with, and of pieces that nobody needs."""
        while True:
            await asyncio.sleep(_TIDY)
            with suppress(OciError):
                await self._remove_unneeded()
                await self._let_go()

    async def _remove_unneeded(self) -> None:
        while self._unneeded:
            upload, names = self._unneeded[0]
            await self._pieces.remove(upload, names)
            self._unneeded.pop(0)  # others have been added behind it

    async def _let_go(self) -> None:
        idle = [session for session in self.open if session.share is not None and not session.claim.taken]
        known = await self._metadata.read(rows.these, [session.id for session in idle]) if idle else {}
        for session in idle:
            if session.claim.taken or session.closed:
                continue
            async with session.claim.held(0.0):
                upload = known.get(session.id)
                if upload is None or upload.digest:
                    self._over(session, upload)
                if session.closed or (upload is not None and upload.size > session.size):
                    await session.unstage()


def _opening(row: SharedUpload) -> Opening:
    return Opening(row.repository, row.algorithm, row.principal, row.started)


def _lost_from(start: int) -> str:
    return f"bytes of this upload are lost from byte {start} on: begin anew"
