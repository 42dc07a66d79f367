"""Uploads that an earlier process left: in a folder of their own, or in the session log alone."""

import uuid
from contextlib import suppress

from registry.content.session_log import SessionLog
from registry.content.upload_session import UploadSession
from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown
from registry.storage.blob_store import BlobStore, Opening, Staging


class EarlierUploads:
    """Finds them by id."""

    def __init__(self, storage: BlobStore, log: SessionLog) -> None:
        self._storage = storage
        self._log = log

    async def session(self, upload_id: str) -> UploadSession:
        """A session to resume, with the bytes that were kept.

        Raises:
            BlobUploadUnknown: there is none, or it is over.
        """
        staging = await self._kept(upload_id)
        opening = self._log.empty(upload_id) if staging is None else staging.opening
        if opening is None or (staging is not None and staging.committed is not None):
            raise BlobUploadUnknown
        session = UploadSession(upload_id, opening)
        if staging is not None:
            session.stage(staging, None)
        return session

    async def committed(self, upload_id: str, digest: Digest) -> Opening | None:
        """The opening of an upload that was committed as this blob, but not acknowledged to its client."""
        staging = await self._kept(upload_id)
        return staging.opening if staging is not None and staging.committed == digest else None

    async def _kept(self, upload_id: str) -> Staging | None:
        if not _is_canonical(upload_id):  # the id becomes part of a path
            return None
        with suppress(BlobUploadUnknown):
            return await self._storage.stage(upload_id)
        return None


def _is_canonical(upload_id: str) -> bool:
    try:
        return str(uuid.UUID(upload_id)) == upload_id
    except ValueError:
        return False
