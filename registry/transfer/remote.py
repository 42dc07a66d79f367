"""A repository of another registry, or of a running server, as a source and a target."""

from collections.abc import AsyncIterator, Sequence

from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.registry_client.client import RegistryClient
from registry.registry_client.errors import Absent, SignInRefused
from registry.transfer.contents import Content, Recorded, SourceImage
from registry.transfer.withheld import Withheld


class RemoteRepository:
    """One repository. Everything raises RemoteError when its registry does not do it.

    Args:
        client: of the registry; closed by `close`.
        name: of the repository.
        reference: the one image that is wanted of it; `None`: all tags.
        beside: another repository of the same registry, whose blobs may be linked instead of being sent.
    """

    def __init__(
        self,
        client: RegistryClient,
        name: RepositoryName,
        reference: Reference | None = None,
        beside: RepositoryName | None = None,
    ) -> None:
        self._client = client
        self._name = name
        self._reference = reference
        self._beside = beside
        self.withheld = Withheld()

    async def images(self) -> Sequence[SourceImage]:
        """The wanted image, or one for each tag, without those that the registry refuses: `withheld` has them."""
        if self._reference is not None:
            return [await self._image(self._reference)]
        found: list[SourceImage] = []
        async for tag in self._client.pull.tags(self._name):
            try:
                found.append(await self._image(tag))
            except SignInRefused as error:
                self.withheld.add(f"{self._name}:{tag}", str(error))
            except Absent:  # removed since the list was made
                continue
        return found

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """A manifest, checked against its digest."""
        return (await self._client.pull.manifest(self._name, descriptor.digest)).raw

    def blob(self, descriptor: Descriptor, start: int = 0) -> AsyncIterator[bytes]:
        """A blob; what is cut is gone on with."""
        return self._client.pull.blob(self._name, descriptor.digest, descriptor.size, start)

    async def holds(self, descriptor: Descriptor) -> bool:
        """Whether it has a blob."""
        return await self._client.pull.blob_size(self._name, descriptor.digest) is not None

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """The referrers that the caller may see."""
        return await self._client.pull.referrers(self._name, subject)

    async def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether it has a blob, or has it now from the repository beside it."""
        if await self._client.push.has_blob(self._name, descriptor.digest):
            return True
        return self._beside is not None and await self._client.push.mount(self._name, descriptor.digest, self._beside)

    async def put_blob(self, descriptor: Descriptor, content: Content) -> None:
        """Send a blob."""
        await self._client.push.blob(self._name, descriptor.digest, descriptor.size, content)

    async def digest_of(self, reference: Reference) -> Digest | None:
        """The digest of a manifest that it has whole."""
        try:
            return await self._client.pull.resolve(self._name, reference)
        except Absent:
            return None

    async def put_manifest(self, reference: Reference, raw: bytes, media_type: str) -> Recorded:
        """Put a manifest."""
        await self._client.push.manifest(self._name, reference, raw, media_type)
        return Recorded()

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()

    async def _image(self, reference: Reference) -> SourceImage:
        found = await self._client.pull.manifest(self._name, reference)
        descriptor = Descriptor(found.media_type, found.digest, len(found.raw))
        return SourceImage(descriptor, reference if isinstance(reference, Tag) else None, str(reference))
