"""A repository of this very registry as a source and a target: its services are called, so its gate decides."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from registry.auth.principals import Principal
from registry.content.blobs import Blobs
from registry.content.manifests import Manifests
from registry.content.referrers import ReferrersList
from registry.content.tags import Tags
from registry.content.uploads import Uploads
from registry.oci import strict_json
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, Denied, ManifestUnknown, NameUnknown
from registry.oci.names import Reference, RepositoryName, Tag
from registry.registry_client.unfinished_uploads import UnfinishedUploads
from registry.storage.blob_store import StoredBlob
from registry.transfer.blob_uploads import BlobUploads
from registry.transfer.contents import Content, Recorded, SourceImage
from registry.transfer.withheld import Withheld


@dataclass(frozen=True, slots=True)
class Shelf:
    """The services that a transfer calls."""

    blobs: Blobs
    uploads: Uploads
    manifests: Manifests
    tags: Tags
    referrers: ReferrersList


class Repository:
    """One repository, as one principal may use it.

    Args:
        shelf: the services.
        principal: who asks; that it may pull or push there is for the caller to know.
        name: of the repository.
        reference: the one image that is wanted of it; `None`: all tags.
        unfinished: where it is noted how far blobs are, for a later process; `None`: it is not.
    """

    def __init__(
        self,
        shelf: Shelf,
        principal: Principal,
        name: RepositoryName,
        reference: Reference | None = None,
        unfinished: UnfinishedUploads | None = None,
    ) -> None:
        self._shelf = shelf
        self._principal = principal
        self._name = name
        self._reference = reference
        self._uploads = BlobUploads(shelf.uploads, principal, name, unfinished)
        self.withheld = Withheld()

    async def images(self) -> Sequence[SourceImage]:
        """The wanted image, or one for each tag, without those that are withheld: `withheld` has them.

        Raises:
            Denied: the wanted image is withheld.
            NameUnknown, ManifestUnknown: there is no such repository, or image.
        """
        if self._reference is not None:
            return [await self._image(self._reference)]
        found: list[SourceImage] = []
        for tag in await self._tags():
            try:
                found.append(await self._image(tag))
            except Denied as error:
                self.withheld.add(f"{self._name}:{tag}", error.message)
        return found

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """A manifest that the principal may pull. Raises Denied, ManifestUnknown."""
        return (await self._shelf.manifests.pull(self._principal, self._name, descriptor.digest)).raw

    async def blob(self, descriptor: Descriptor, start: int = 0) -> AsyncIterator[bytes]:
        """A blob that the principal may pull. Raises Denied, BlobUnknown."""
        blob = await self._shelf.blobs.pull(self._principal, self._name, descriptor.digest)
        async for piece in self._shelf.blobs.read(blob, start, blob.size - start):
            yield piece

    async def holds(self, descriptor: Descriptor) -> bool:
        """Whether it has a blob."""
        return await self._stored(descriptor) is not None

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """The referrers that the principal may see."""
        found: list[Descriptor] = []
        last, more = "", True
        while more:
            page = await self._shelf.referrers.page(self._principal, self._name, subject, "", None, last)
            entries: list[Any] = [strict_json.loads(entry.encode("ascii")) for entry in page.entries]
            found += Descriptor.list_from_json(entries, "referrers")
            last, more = page.last, page.more
        return found

    async def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether it has a blob, which stays young then."""
        return await self._stored(descriptor) is not None

    async def put_blob(self, descriptor: Descriptor, content: Content) -> None:
        """Take a blob durably; one that an earlier process was killed in is gone on with."""
        await self._uploads.take(descriptor, content)

    async def digest_of(self, reference: Reference) -> Digest | None:
        """The digest of a manifest that is there whole."""
        try:
            return (await self._shelf.manifests.pull(self._principal, self._name, reference)).digest
        except (NameUnknown, ManifestUnknown):
            return None

    async def put_manifest(self, reference: Reference, raw: bytes, media_type: str) -> Recorded:
        """Record a manifest; the gate is asked."""
        push = self._shelf.manifests.push
        pushed = await push(self._principal, self._name, reference, raw, media_type, cause="import")
        return Recorded(pushed.warnings)

    async def close(self) -> None:
        """Nothing is open."""

    async def _stored(self, descriptor: Descriptor) -> StoredBlob | None:
        try:
            return await self._shelf.blobs.head(self._principal, self._name, descriptor.digest)
        except BlobUnknown:
            return None

    async def _image(self, reference: Reference) -> SourceImage:
        stored = await self._shelf.manifests.pull(self._principal, self._name, reference)
        descriptor = Descriptor(stored.media_type, stored.digest, len(stored.raw))
        return SourceImage(descriptor, reference if isinstance(reference, Tag) else None, str(reference))

    async def _tags(self) -> list[Tag]:
        found: list[Tag] = []
        more = True
        while more:
            page = await self._shelf.tags.page(self._name, None, found[-1] if found else "")
            found += page.items
            more = page.more
        return found
