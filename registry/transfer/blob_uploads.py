"""Blobs on their way into a repository of this registry: one whose import was killed is gone on with in its middle."""

from contextlib import suppress

from registry.auth.principals import Principal
from registry.content.upload_session import no_bytes
from registry.content.uploads import Uploads, UploadSession
from registry.oci.descriptor import Descriptor
from registry.oci.errors import BlobUploadUnknown, DigestInvalid
from registry.oci.names import RepositoryName
from registry.registry_client.errors import Unreachable
from registry.registry_client.unfinished_uploads import UnfinishedUpload, UnfinishedUploads
from registry.transfer.contents import Content

NOTES = "imports"
"""The folder, of a data folder, in which it is noted which upload a blob is in."""


class BlobUploads:
    """Takes blobs into one repository.

    Args:
        uploads: the service.
        principal: who uploads.
        name: of the repository.
        unfinished: where it is noted which upload a blob is in; `None`: a blob that was cut is begun anew.
    """

    def __init__(
        self, uploads: Uploads, principal: Principal, name: RepositoryName, unfinished: UnfinishedUploads | None
    ) -> None:
        self._uploads = uploads
        self._principal = principal
        self._name = name
        self._unfinished = unfinished

    async def take(self, blob: Descriptor, content: Content) -> None:
        """Take a blob durably.

        Raises:
            DigestInvalid, QuotaExceeded, Unavailable: as uploads do.
            Whatever reading its content does; what had come of it stays when its registry was out of reach.
        """
        if self._unfinished is None:
            await self._whole(blob, content)
            return
        with self._unfinished.sending("", self._name, blob.digest, blob.size) as note:
            if not note.can_be_kept:
                await self._whole(blob, content)
                return
            left = await self._left(blob, note)
            if left is not None:
                # Where its digest is wrong, what was left is of other bytes, or a power failure took a part of it.
                with suppress(DigestInvalid):
                    await self._rest(left, blob, content)
                    return
            session = await self._uploads.begin(self._name, self._principal, blob.digest.algorithm, blob.size)
            note.keep(session.id)
            await self._rest(session, blob, content)

    async def _whole(self, blob: Descriptor, content: Content) -> None:
        await self._uploads.take_whole(self._name, self._principal, blob.digest, content(0), None, blob.size)

    async def _left(self, blob: Descriptor, note: UnfinishedUpload) -> UploadSession | None:
        """What an earlier process has left of the blob, unless that is over or too long."""
        with suppress(BlobUploadUnknown):
            session = await self._uploads.session(self._name, note.location)
            if session.size <= blob.size:
                return session
            await self._uploads.cancel(session)
        return None

    async def _rest(self, session: UploadSession, blob: Descriptor, content: Content) -> None:
        try:
            if session.size < blob.size:
                body = content(session.size)
                await self._uploads.append(session, body, session.size, blob.size - session.size)
            await self._uploads.finish(session, blob.digest, no_bytes(), None, 0)
        except Unreachable:
            raise
        except Exception:
            # Another try brings nothing else: nothing of it stays.
            with suppress(BlobUploadUnknown):
                await self._uploads.cancel(session)
            raise
