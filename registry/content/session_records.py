"""Where it is noted which upload sessions are open, and how far each has come: of one process, or of several nodes."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext, suppress
from typing import Protocol

from sqlalchemy import Connection

from registry.content.open_uploads import OpenUploads
from registry.content.session_log import Outcome, SessionLog
from registry.content.upload_session import UploadSession
from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore, Opening, Staging
from registry.storage.disk.errors import disk_refusals


class SessionRecords(Protocol):
    """The records of sessions. What they are called for a session is called while its claim is held.

    Attributes:
        open: the sessions that this process holds.
    """

    open: OpenUploads

    def new_id(self, opening: Opening) -> str:
        """A UUID for a new session."""
        ...

    async def opened(self, session: UploadSession) -> None:
        """Note a new session; from now on others may go on with it. Raises Unavailable when it cannot be noted."""
        ...

    async def session(self, upload: str, repository: RepositoryName, principal: str | None) -> UploadSession:
        """The open session with this id. Raises BlobUploadUnknown: there is none, or it is over.

        `repository`, `principal`: where and by whom it is looked for; it may turn out to be of others.
        """
        ...

    async def outcome(self, upload: str) -> Outcome | None:
        """What a session was committed as, while it is remembered."""
        ...

    def held(self, session: UploadSession, *, whole: bool = False) -> AbstractAsyncContextManager[None]:
        """Have the session to this request alone, within the block; it is closed when another has ended it.

        `whole`: the request ends it; where it has no byte yet, all that it becomes comes now.
        """
        ...

    async def keep(self, session: UploadSession, staging: Staging) -> None:
        """The session's bytes shall outlive this process; called before they come."""
        ...

    async def fetch(self, session: UploadSession) -> None:
        """Bring the bytes here that other nodes have received."""
        ...

    async def grown(self, session: UploadSession) -> None:
        """A request has brought all its bytes, or as many as came: acknowledge them.

        Raises:
            Unavailable: they cannot be kept; the session is as it was before.
        """
        ...

    def ending(
        self, session: UploadSession, digest: Digest
    ) -> AbstractContextManager[Callable[[Connection], None] | None]:
        """What has to change with the rows of the blob that the session becomes, if anything.

        It has been changed when the block ends without an error; `ended` follows in any case.
        """
        ...

    async def ended(self, session: UploadSession, digest: Digest | None = None) -> None:
        """The session is over; `digest`: of the blob that it was committed as."""
        ...

    async def committed(self, upload: str, digest: Digest) -> Opening | None:
        """The opening of an upload that was committed as this blob, but not acknowledged to its client."""
        ...

    async def forget(self, upload: str, digest: Digest | None = None) -> None:
        """Remove a session that this process does not hold, or the remains of one; `digest`: what it became."""
        ...

    async def expire(self, limit: float) -> int:
        """Forget what nothing came for since `limit` (seconds since the epoch), but what this process holds."""
        ...

    async def run(self) -> None:
        """Work that runs as long as the server does."""
        ...


class OwnSessions:
    """Of this process and those before it on the same data folder: a log, and the bytes that were kept there."""

    def __init__(self, storage: BlobStore, log: SessionLog) -> None:
        self.open = OpenUploads()
        self.log = log
        self._storage = storage
        for upload, opening in log.openings().items():
            self.open.add_earlier(upload, opening.principal)

    def new_id(self, opening: Opening) -> str:  # noqa: ARG002
        """By chance."""
        return str(uuid.uuid4())

    async def opened(self, session: UploadSession) -> None:
        """One line."""
        with disk_refusals():
            self.log.opened(session.id, session.opening)

    async def session(self, upload: str, repository: RepositoryName, principal: str | None) -> UploadSession:  # noqa: ARG002
        """One that this process holds, or one to resume, with the bytes that were kept."""
        return self.open.get(upload) or self.open.add(await self._earlier(upload))

    async def outcome(self, upload: str) -> Outcome | None:
        """From the log."""
        return self.log.outcome(upload)

    @asynccontextmanager
    async def held(self, session: UploadSession, *, whole: bool = False) -> AsyncIterator[None]:  # noqa: ARG002
        """Nobody else has it."""
        yield

    async def keep(self, session: UploadSession, staging: Staging) -> None:
        """In a folder of its own."""
        await staging.keep()
        self.log.staged(session.id)

    async def fetch(self, session: UploadSession) -> None:
        """They are here."""

    async def grown(self, session: UploadSession) -> None:
        """They count as they are written."""

    def ending(self, session: UploadSession, digest: Digest) -> AbstractContextManager[None]:  # noqa: ARG002
        """Nothing: there are no rows."""
        return nullcontext()

    async def ended(self, session: UploadSession, digest: Digest | None = None) -> None:
        """One line."""
        self.log.ended(session.id, digest)

    async def expire(self, limit: float) -> int:
        """Those with a line and no byte."""
        files = {upload async for upload, _ in self._storage.uploads()}
        gone = [
            upload
            for upload, opening in self.log.openings().items()
            if opening.started < limit and upload not in files and self.open.get(upload) is None
        ]
        for upload in gone:
            await self.forget(upload)
        return len(gone)

    async def forget(self, upload: str, digest: Digest | None = None) -> None:
        """Its bytes, and its line."""
        await discard_upload(self._storage, upload)
        self.open.forget(upload)
        self.log.ended(upload, digest)

    async def run(self) -> None:
        """Nothing is to be done."""

    async def committed(self, upload: str, digest: Digest) -> Opening | None:
        """From the note beside its bytes."""
        staging = await self._kept(upload)
        return staging.opening if staging is not None and staging.committed == digest else None

    async def _earlier(self, upload: str) -> UploadSession:
        staging = await self._kept(upload)
        opening = self.log.empty(upload) if staging is None else staging.opening
        if opening is None or (staging is not None and staging.committed is not None):
            raise BlobUploadUnknown
        session = UploadSession(upload, opening)
        if staging is not None:
            session.stage(staging, None)
        return session

    async def _kept(self, upload: str) -> Staging | None:
        if not is_canonical(upload):  # the id becomes part of a path
            return None
        with suppress(BlobUploadUnknown):
            return await self._storage.stage(upload)
        return None


async def discard_upload(storage: BlobStore, upload: str) -> None:
    """Remove an upload, or its remains, that no session of this process holds."""
    # Staged again and aborted: the upload's opening may be lost.
    staging = await storage.stage(upload, Opening("", "sha256", "", 0.0))
    await staging.abort()


def is_canonical(upload: str) -> bool:
    """Whether an id that somebody sends may be one of ours."""
    try:
        return str(uuid.UUID(upload)) == upload
    except ValueError:
        return False
