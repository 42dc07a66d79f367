"""Fetching one blob into a repository: through an upload session that outlives a restart, gone on with by Range."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from registry.auth.actions import Role
from registry.auth.principals import MIRROR_ID, Principal
from registry.content.upload_session import no_bytes
from registry.content.uploads import SMALL, Uploads, UploadSession
from registry.metadata import blobs, mirrored
from registry.metadata.store import MetadataStore
from registry.mirror.upstream import Upstream
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown, DigestInvalid, RangeNotSatisfiable, Unavailable
from registry.oci.names import RepositoryName
from registry.registry_client.errors import Absent, Unusable
from registry.storage.blob_store import BlobStore

_TRIES = 10
MIRROR = Principal(MIRROR_ID, "mirror", Role.ACR_PUSH)
"""Who pushes what upstreams have."""


class BlobFetch:
    """Brings blobs here, each into one repository."""

    def __init__(self, storage: BlobStore, metadata: MetadataStore, uploads: Uploads) -> None:
        self._storage = storage
        self._metadata = metadata
        self._uploads = uploads

    async def fetch(self, upstream: Upstream, repository: RepositoryName, blob: Descriptor) -> None:
        """Have a blob in the repository. Of several nodes that need it, one brings it, and the others wait for that.

        Raises:
            RemoteError: the upstream does not give it.
            DigestInvalid: it gives other bytes; nothing of them stays.
            OciError: there is no room for it.
        """
        for _ in range(_TRIES):
            if await self._is_here(repository, blob.digest):
                return
            async with upstream.turns:
                upstream.require_talking()
                if blob.size <= SMALL:
                    await self._fetch_small(upstream, repository, blob)
                    return
                with suppress(BlobUploadUnknown, RangeNotSatisfiable):  # another node has gone on with it, or ended it
                    await self._fetch_long(upstream, repository, blob)
                    return
        raise Unavailable(f"blob {blob.digest} is being fetched by other nodes, which do not end: try again")

    async def _fetch_small(self, upstream: Upstream, repository: RepositoryName, blob: Descriptor) -> None:
        body = upstream.client.pull.blob(upstream.name_of(repository), blob.digest, blob.size)
        with _telling(upstream):
            await self._uploads.take_whole(repository, MIRROR, blob.digest, body, None, blob.size)

    async def _is_here(self, repository: RepositoryName, digest: Digest) -> bool:
        size = await self._metadata.read(blobs.size_of, repository, digest)
        return size is not None and await self._storage.stat(digest, size) is not None

    async def _fetch_long(self, upstream: Upstream, repository: RepositoryName, blob: Descriptor) -> None:
        session = await self._session(repository, blob)
        start = session.resumes_at
        body = upstream.client.pull.blob(upstream.name_of(repository), blob.digest, blob.size, start)
        try:
            await self._uploads.append(session, body, start, blob.size - start)
        except (Absent, Unusable):
            # Another try brings nothing else: sessions are kept for what may come yet, and there are only so many.
            await self._uploads.cancel(session)
            await self._metadata.write(mirrored.end_fetch, repository, blob.digest)
            raise
        try:
            with _telling(upstream):
                await self._uploads.finish(session, blob.digest, no_bytes(), None, 0)
        finally:
            await self._metadata.write(mirrored.end_fetch, repository, blob.digest)

    async def _session(self, repository: RepositoryName, blob: Descriptor) -> UploadSession:
        """The session that an earlier attempt has left, of an earlier process perhaps, or a new one."""
        known = await self._metadata.read(mirrored.fetch_of, repository, blob.digest)
        if known is not None:
            with suppress(BlobUploadUnknown):
                session = await self._uploads.session(repository, known, MIRROR.id)
                if session.resumes_at <= blob.size:
                    return session
                await self._uploads.cancel(session)
        session = await self._uploads.start(repository, MIRROR, blob.digest.algorithm, blob.size)
        begun = await self._metadata.write(mirrored.begin_fetch, repository, blob.digest, session.id, known)
        if begun == session.id:
            return session
        await self._uploads.cancel(session)
        return await self._uploads.session(repository, begun, MIRROR.id)


@contextmanager
def _telling(upstream: Upstream) -> Iterator[None]:
    """Say whose fault it is that bytes have another digest."""
    try:
        yield
    except DigestInvalid as error:
        raise Unusable(f"{upstream.endpoint.name} sends other bytes than it says: {error.message}") from None
