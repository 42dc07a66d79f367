"""Uploads of blobs (distribution-spec, "Pushing blobs")."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from registry.auth.principals import Principal
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.quotas import quota_of, require_room
from registry.content.session_records import SessionRecords
from registry.content.small_blob_journal import Journal
from registry.content.upload_session import (
    UploadSession,
    UploadSink,
    collected,
    counting,
    drop,
    pour,
    require_start,
)
from registry.content.writable import require_writable
from registry.database.precondition import Precondition
from registry.gate import Gate
from registry.metadata import blobs, garbage, transactions
from registry.metadata.store import MetadataStore
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest, new_hasher, require_digest
from registry.oci.errors import BlobUploadUnknown, OciError, StorageFull, Unavailable
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore, Opening, StoredBlob

__all__ = ["UploadSession", "UploadSink", "Uploads"]

SMALL = 64 * 1024
"""Bytes of a whole blob that come in one request and go to the store at once, without a place of their own."""


class Uploads:
    """Upload sessions. They survive a restart with the bytes of PATCHes; a last PUT that was cut can be repeated."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        storage: BlobStore,
        metadata: MetadataStore,
        gate: Gate,
        settings: SettingsInForce[RegistrySettings],
        journal: Journal | None,
        records: SessionRecords,
    ) -> None:
        self._storage = storage
        self._metadata = metadata
        self._gate = gate
        self._settings = settings
        self._journal = journal
        self._records = records
        self.open = records.open

    async def start(
        self, repository: RepositoryName, principal: Principal, algorithm: str = "sha256", size: int = 0
    ) -> UploadSession:
        """Open an empty session.

        Args:
            repository: where the blob will be linked.
            principal: the caller.
            algorithm: hashes the bytes as they arrive; the final digest may use another.
            size: expected bytes, where known.

        Raises:
            DigestInvalid: the algorithm is not supported.
            QuotaExceeded: the repository has no room.
            Unavailable: the principal has too many open.
        """
        session = await self.begin(repository, principal, algorithm, size)
        try:
            await self._records.opened(session)
        except BaseException:
            self.open.forget(session.id)
            raise
        return session

    async def begin(self, repository: RepositoryName, principal: Principal, algorithm: str, size: int) -> UploadSession:
        """`start` without the log, which is the server's; it outlives its process from the first byte that is kept."""
        new_hasher(algorithm)
        await require_writable(self._metadata, repository)
        self.open.require_room(principal.id, self._settings.current.uploads.sessions_per_principal)
        await self._require_room(repository, size, None)
        opening = Opening(repository, algorithm, principal.id, time.time())
        return self.open.add(UploadSession(self._records.new_id(opening), opening))

    async def find(self, repository: RepositoryName, upload_id: str, principal: str | None) -> UploadSession | None:
        """The open session with this id, or `None`."""
        with suppress(BlobUploadUnknown):
            return await self.session(repository, upload_id, principal)
        return None

    async def session(self, repository: RepositoryName, upload_id: str, principal: str | None = None) -> UploadSession:
        """The open session with this id, those of an earlier process or of other nodes included.

        `principal`: id of the caller; without it, one that another node has opened is known from its first byte on.

        Raises:
            BlobUploadUnknown: there is none in this repository.
        """
        session = await self._records.session(upload_id, repository, principal)
        if session.repository != repository:
            raise BlobUploadUnknown
        return session

    @asynccontextmanager
    async def appending(
        self, session: UploadSession, start: int | None, length: int | None
    ) -> AsyncIterator[UploadSink]:
        """A sink for the bytes of one request; on exit they are part of the upload.

        Args:
            session: one request writes to it at a time, others wait.
            start: the declared offset, or `None`.
            length: the declared number of bytes, or `None`.

        Raises:
            BlobUploadUnknown: the session is over.
            RangeNotSatisfiable: the offset is not the session's size; nothing has changed.
            SizeInvalid: more or fewer bytes than declared; nothing has changed.
        """
        async with (
            session.claim.held(self._silence),
            self._records.held(session),
            self._or_nothing(session),
            self._accepting(session, start, length) as sink,
        ):
            yield sink

    async def append(
        self, session: UploadSession, body: AsyncIterator[bytes], start: int | None, length: int | None
    ) -> int:
        """Append a body; returns the session's new size. When the body breaks off, the bytes received are kept."""
        async with self.appending(session, start, length) as sink:
            with session.claim.receiving(body):
                await pour(body, sink, self._settings.current.uploads.batch_bytes)
        return session.size

    async def take_whole(  # noqa: PLR0913, PLR0917
        self,
        repository: RepositoryName,
        principal: Principal,
        digest: Digest,
        body: AsyncIterator[bytes],
        start: int | None,
        length: int | None,
    ) -> StoredBlob:
        """`start` and `finish` in one. The session is not public, so nothing of it stays after a failure."""
        session = await self.begin(repository, principal, digest.algorithm, length or 0)
        try:
            return await self.finish(session, digest, body, start, length)
        except BaseException:
            if not session.closed:
                await self.cancel(session)
            raise

    async def finish(
        self,
        session: UploadSession,
        digest: Digest,
        body: AsyncIterator[bytes],
        start: int | None,
        length: int | None,
    ) -> StoredBlob:
        """Append the last bytes and commit the upload as a blob of the session's repository, durably.

        When the body breaks off, the session is as it was before, so that the same request may be made again. So is one
        that nodes share when the store cannot take the blob now.

        Raises:
            DigestInvalid: the bytes have another digest; the session is over and nothing is stored.
            QuotaExceeded: the repository has no room; the session is over.
            BlobUploadUnknown, RangeNotSatisfiable, SizeInvalid: as for `append`.
        """
        held = self._records.held(session, whole=True)
        async with session.claim.held(self._silence), held, self._or_nothing(session):
            if session.closed and session.outcome == digest:  # the same request again, while the first was running
                return await self._repeated(session.repository, digest, body)
            try:
                blob = await self._finish(session, digest, body, start, length)
            except BaseException as error:
                if session.closed and not (session.share is not None and isinstance(error, Unavailable)):
                    await self._records.ended(session)
                raise
            session.outcome = digest
            await self._records.ended(session, digest)
            return blob

    async def finish_again(
        self, repository: RepositoryName, upload_id: str, digest: Digest, body: AsyncIterator[bytes]
    ) -> StoredBlob | None:
        """The blob that an upload was committed as, for a client that repeats its last request.

        `None`: the upload is unknown, or has another outcome.
        """
        outcome = await self._records.outcome(upload_id)
        if outcome is not None:
            if outcome.opening.repository != repository or outcome.digest != digest:
                return None
            await self._records.forget(upload_id, digest)
            return await self._repeated(repository, digest, body)
        opening = await self._records.committed(upload_id, digest)
        blob = await self._storage.stat(digest)
        if opening is None or opening.repository != repository or blob is None:
            return None
        await drop(body)
        blob = await self._record(UploadSession(upload_id, opening), blob)
        await self._records.forget(upload_id, digest)
        return blob

    async def _repeated(self, repository: RepositoryName, digest: Digest, body: AsyncIterator[bytes]) -> StoredBlob:
        """The blob that was committed, if it still exists."""
        await drop(body)
        blob = await self._storage.stat(digest)
        if blob is None or await self._metadata.read(blobs.size_of, repository, digest) is None:
            raise BlobUploadUnknown
        return blob

    async def _finish(
        self, session: UploadSession, digest: Digest, body: AsyncIterator[bytes], start: int | None, length: int | None
    ) -> StoredBlob:
        if length is not None and length <= SMALL and session.is_empty:
            return await self._finish_small(session, digest, body, start, length)
        async with self._ending(session, digest, start, length) as sink:
            with session.claim.receiving(body):
                await pour(body, sink, self._settings.current.uploads.batch_bytes)
        self._close(session)
        try:
            return await self._commit(session, digest)
        except BaseException:
            await session.staging.abort()
            session.withdraw()
            raise

    async def _finish_small(
        self, session: UploadSession, digest: Digest, body: AsyncIterator[bytes], start: int | None, length: int
    ) -> StoredBlob:
        """Commit an upload of one small body through the journal, without a staging place."""
        session.require_open()
        require_start(session, start)
        content = await collected(session, body, length)
        self._close(session)
        await self._require_room(session.repository, length, digest)
        require_digest(digest, Digest.of(content, digest.algorithm))
        if self._journal is not None and self._journal.has_room:  # `None`: the store has no shorter way for small blobs
            return await self._journal.take(self._occasion(session), digest, content)
        return await self._record(session, await self._storage.put(digest, content))

    async def cancel(self, session: UploadSession) -> None:
        """End the session and remove its bytes.

        Raises:
            BlobUploadUnknown: it had ended already.
        """
        async with session.claim.held(self._silence), self._records.held(session, whole=True):
            session.require_open()
            self._close(session)
            await self._records.ended(session)
            if session.staged:
                await session.staging.abort()
                session.withdraw()

    async def expire(self, now: float) -> int:
        """Remove the sessions without a byte for too long (a setting); returns how many. `now` as of time.time()."""
        limit = now - self._settings.current.uploads.expire_seconds
        files = {upload: last_byte async for upload, last_byte in self._storage.uploads()}
        gone = [upload for upload, last_byte in files.items() if last_byte < limit]
        gone += [
            session.id
            for session in self.open
            if session.share is None and not session.staged and session.started < limit
        ]
        for upload in gone:
            await self._remove(upload)
        for upload in files.keys() - gone:
            await self._count(upload)
        return len(gone) + await self._records.expire(limit)

    async def run(self) -> None:
        """Work that runs as long as the server does."""
        await self._records.run()

    async def _remove(self, upload: str) -> None:
        session = self.open.get(upload)
        if session is None:
            await self._records.forget(upload)
        elif session.share is None and not session.claim.taken:
            with suppress(BlobUploadUnknown):
                await self.cancel(session)

    async def _count(self, upload: str) -> None:
        """Count the sessions of an earlier process."""
        if not self.open.knows(upload):
            with suppress(BlobUploadUnknown):  # remains of a broken upload
                staging = await self._storage.stage(upload)
                self.open.add_earlier(upload, staging.opening.principal)

    @asynccontextmanager
    async def _or_nothing(self, session: UploadSession) -> AsyncIterator[None]:
        """When the disk is full, remove the upload's bytes at once and end the session."""
        try:
            yield
        except StorageFull:
            self._close(session)
            await self._records.ended(session)
            if session.staged:
                with suppress(OciError):
                    await session.staging.abort()
                session.withdraw()
            raise

    @asynccontextmanager
    async def _accepting(
        self, session: UploadSession, start: int | None, length: int | None
    ) -> AsyncIterator[UploadSink]:
        """A sink for a request that is not the last: its bytes survive a restart as soon as they are written."""
        await self._place(session, start, None)
        try:
            async with counting(session, length) as sink:
                yield sink
        finally:
            session.staging.release()
            await self._records.grown(session)

    @asynccontextmanager
    async def _ending(
        self, session: UploadSession, digest: Digest, start: int | None, length: int | None
    ) -> AsyncIterator[UploadSink]:
        """A sink for the last request: when its body breaks off, the upload is as it was before."""
        await self._place(session, start, digest)
        before = session.lasting_size = session.size
        try:
            async with counting(session, length) as sink:
                yield sink
        except BaseException:
            try:
                await session.truncate(before)
            finally:
                session.staging.release()
            raise
        finally:
            session.lasting_size = None

    async def _place(self, session: UploadSession, start: int | None, last: Digest | None) -> None:
        """Stage the session if necessary; `last`: the digest of the blob, for the last request."""
        session.require_open()
        require_start(session, start)
        staging = session.staging if session.staged else await self._storage.stage(session.id, session.opening)
        try:
            staging.last(last)
            if last is None:
                await self._records.keep(session, staging)
        except BaseException:
            if not session.staged:
                await staging.abort()
            raise
        if not session.staged:
            session.stage(staging, self._gate.arriving(session.repository, staging))
        await self._records.fetch(session)

    @property
    def _silence(self) -> float:
        return self._settings.current.uploads.silence_seconds

    def _close(self, session: UploadSession) -> None:
        session.closed = True
        self.open.forget(session.id)

    async def _commit(self, session: UploadSession, digest: Digest) -> StoredBlob:
        await self._require_room(session.repository, session.size, digest)
        blob = await self._record(session, await session.staging.commit(digest))
        await self._records.ended(session, digest)  # before the staging place, the other record of it, is removed
        await session.staging.forget()
        session.deliver(digest)
        return blob

    async def _record(self, session: UploadSession, blob: StoredBlob) -> StoredBlob:
        at, there = self._occasion(session), Precondition(blob.still_there)
        try:
            with self._records.ending(session, blob.digest) as ends:
                await self._metadata.write(transactions.take_blob, at, blob.digest, blob.size, there, ends)
        except StorageFull:
            with suppress(OciError):
                await self._metadata.write(garbage.drop_file, blob.digest, self._storage.delete)
            raise
        return blob

    def _occasion(self, session: UploadSession) -> ChangeContext:
        quota = quota_of(self._settings.current, session.repository)
        return ChangeContext(session.repository, session.principal_id, time.time(), quota)

    async def _require_room(self, repository: RepositoryName, size: int, digest: Digest | None) -> None:
        quota = quota_of(self._settings.current, repository)
        if quota is not None:
            await self._metadata.read(require_room, repository, quota, size, digest)
