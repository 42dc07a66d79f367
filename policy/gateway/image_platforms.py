"""The platforms of an image, by its configuration or index, compared with the one that is asked for."""

import asyncio
from collections.abc import Iterable

from policy.gateway.inference_config.remarks import Remark, fail
from registry.content.manifests import content_of
from registry.metadata import manifests
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import ContentTooLarge, OciError
from registry.oci.manifest import ImageIndex, Manifest, parse_manifest
from registry.oci.names import RepositoryName
from registry.oci.platforms import Platform, platform_of_config
from registry.storage.blob_store import BlobStore

_CONFIG_BYTES = 4 << 20


class ImagePlatforms:
    """Reads manifests and configurations of this registry."""

    def __init__(self, storage: BlobStore, metadata: MetadataStore) -> None:
        self._storage = storage
        self._metadata = metadata

    async def of(self, repository: RepositoryName, digest: Digest) -> tuple[Platform, ...]:
        """The platforms of a manifest, in normal form; empty when it names none or cannot be read."""
        row = await self._metadata.read(manifests.find, repository, digest)
        raw = None if row is None else await content_of(self._storage, self._metadata, repository, row)
        if row is None or raw is None:
            return ()
        try:
            manifest = await asyncio.to_thread(parse_manifest, raw, row.media_type)
            named = await self._named(manifest)
        except OciError:
            return ()
        return tuple(each.normal for each in named if each.architecture and not each.is_unknown)

    async def _named(self, manifest: Manifest) -> Iterable[Platform]:
        if isinstance(manifest, ImageIndex):
            return [child.platform for child in manifest.manifests if child.platform is not None]
        try:
            raw = await self._storage.get(manifest.config.digest, _CONFIG_BYTES)
        except ContentTooLarge:
            return []
        return [] if raw is None else [await asyncio.to_thread(platform_of_config, raw)]


def on_platform(wanted: Platform | None, platforms: tuple[Platform, ...]) -> tuple[Remark, ...]:
    """A fault when none of the image's platforms is the one that is asked for."""
    if wanted is None or not platforms or any(wanted.normal.is_alike(each) for each in platforms):
        return ()
    names = ", ".join(sorted({str(Platform(each.os, each.architecture)) for each in platforms}))
    return (fail(f"environment.docker.platform asks for {wanted.normal}, and the image is for {names}"),)
