"""Writes images of a repository as one OCI layout: tags, indexes, images, and what refers to them.

The same content gives the same bytes: files in the order of their names, entries in the order of tags and digests.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.config.transfer import TransferSettings
from registry.oci import media_types
from registry.oci.canonical_json import canonical_json
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest, new_hasher
from registry.oci.manifest import ImageManifest, Manifest, parse_manifest
from registry.transfer.contents import Source, SourceImage
from registry.transfer.errors import SourceUnusable
from registry.transfer.events import Event, Listener, nobody
from registry.transfer.layout import INDEX, MARK, REF_NAME
from registry.transfer.layout_files import LayoutFiles

_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


@dataclass(slots=True)
class Exported:
    """What a layout holds now.

    Attributes:
        images: as they are named in it.
        referrers: manifests that came along because they refer to something.
        manifests: in all.
        blobs: in all.
        size: bytes of all content.
    """

    images: Sequence[SourceImage] = ()
    referrers: int = 0
    manifests: int = 0
    blobs: int = 0
    size: int = 0


@dataclass(slots=True)
class _Plan:
    """Everything that the layout will hold, by digest."""

    manifests: dict[Digest, Descriptor] = field(default_factory=dict)
    blobs: dict[Digest, Descriptor] = field(default_factory=dict)
    referrers: dict[Digest, Descriptor] = field(default_factory=dict)


class Exporting:
    """One export.

    Args:
        source: the repository; what it withholds from the caller is not there.
        limits: of what is followed.
        listener: told of every step.
        referrers: whether what refers to an image goes along.
    """

    def __init__(
        self, source: Source, limits: TransferSettings, listener: Listener = nobody, *, referrers: bool = True
    ) -> None:
        self._source = source
        self._limits = limits
        self._tell = listener
        self._with_referrers = referrers
        self._plan = _Plan()

    async def write(self, files: LayoutFiles) -> Exported:
        """Write the layout, whole or not at all.

        Raises:
            SourceUnusable, BasegateError: content is missing, damaged or withheld.
            TargetUnusable: it cannot be written.
        """
        try:
            images = await self._images()
            for image in images:
                await self._follow(image.descriptor)
            await self._write(files, images)
            await asyncio.to_thread(files.finish)
        except BaseException:
            await asyncio.to_thread(files.abandon)
            raise
        plan = self._plan
        size = sum(item.size for item in (*plan.manifests.values(), *plan.blobs.values()))
        return Exported(images, len(plan.referrers), len(plan.manifests), len(plan.blobs), size)

    async def _images(self) -> Sequence[SourceImage]:
        images = await self._source.images()
        if not images:
            raise SourceUnusable("there is nothing to export: the repository has no tag that the caller may pull")
        return sorted(images, key=lambda image: (image.tag or "", image.descriptor.digest))

    async def _follow(self, descriptor: Descriptor, depth: int = 0) -> None:
        """Note a manifest, what it names, and what refers to it."""
        if descriptor.digest in self._plan.manifests:
            return
        if len(self._plan.manifests) >= self._limits.manifests or depth > 4 * self._limits.depth:
            raise SourceUnusable(
                f"the repository has more than {self._limits.manifests} manifests (transfer.manifests)"
            )
        self._plan.manifests[descriptor.digest] = descriptor
        manifest = parse_manifest(await self._source.manifest(descriptor), descriptor.media_type)
        await self._note(manifest, depth)
        for referrer in await self._source.referrers(descriptor.digest) if self._with_referrers else ():
            self._plan.referrers[referrer.digest] = referrer
            await self._follow(referrer, depth + 1)

    async def _note(self, manifest: Manifest, depth: int) -> None:
        named = (manifest.config, *manifest.layers) if isinstance(manifest, ImageManifest) else manifest.manifests
        for item in named:
            if not isinstance(manifest, ImageManifest) and media_types.is_manifest(item.media_type):
                await self._follow(item, depth + 1)
            elif item.media_type not in media_types.FOREIGN_LAYERS or await self._source.holds(item):
                self._plan.blobs[item.digest] = item

    async def _write(self, files: LayoutFiles, images: Sequence[SourceImage]) -> None:
        contents = self._plan.blobs | self._plan.manifests
        await asyncio.to_thread(files.folder, "blobs")
        folder = ""
        for descriptor in sorted(contents.values(), key=lambda item: item.digest):
            if descriptor.digest.algorithm != folder:
                folder = descriptor.digest.algorithm
                await asyncio.to_thread(files.folder, f"blobs/{folder}")
            await self._write_content(files, descriptor)
        for name, content in ((INDEX, self._index(images)), (MARK, _LAYOUT)):
            await asyncio.to_thread(files.begin, name, len(content))
            await asyncio.to_thread(files.write, content)

    async def _write_content(self, files: LayoutFiles, descriptor: Descriptor) -> None:
        digest, size = descriptor.digest, descriptor.size
        self._tell(Event("blob", "begun", digest, size))
        await asyncio.to_thread(files.begin, f"blobs/{digest.algorithm}/{digest.encoded}", size)
        hasher, moved = new_hasher(digest.algorithm), 0
        async for piece in self._content(descriptor):
            hasher.update(piece)
            moved += len(piece)
            await asyncio.to_thread(files.write, piece)
            self._tell(Event("blob", "bytes", digest, size, moved))
        if moved != size or f"{digest.algorithm}:{hasher.hexdigest()}" != digest:
            raise SourceUnusable(f"what the repository has as {digest} is damaged: nothing was exported, push it again")
        self._tell(Event("blob", "done", digest, size, moved))

    async def _content(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        if descriptor.digest in self._plan.manifests:
            yield await self._source.manifest(descriptor)
            return
        async for piece in self._source.blob(descriptor):
            yield piece

    def _index(self, images: Sequence[SourceImage]) -> bytes:
        tagged = [_entry(image.descriptor, image.tag or "") for image in images]
        there = {image.descriptor.digest for image in images}
        loose = [item for digest, item in sorted(self._plan.referrers.items()) if digest not in there]
        entries = [*tagged, *(_entry(item, "") for item in loose)]
        return canonical_json({"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries})


def _entry(descriptor: Descriptor, tag: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest,
        "size": descriptor.size,
    }
    if descriptor.artifact_type:
        entry["artifactType"] = descriptor.artifact_type
    return entry | ({"annotations": {REF_NAME: tag}} if tag else {})
