"""What images run on, as their configurations say; and the manifests of indexes."""

from functools import partial

from registry.api.services import Services
from registry.caches import SizedCache
from registry.content.manifests import content_of
from registry.content.parsing import Parsing
from registry.metadata.attributes import ManifestAttributes
from registry.metadata.manifests import ManifestRow
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import ContentTooLarge, OciError
from registry.oci.manifest import ImageIndex, parse_manifest
from registry.oci.names import RepositoryName
from registry.oci.platforms import Platform, platform_of_config

_REMEMBERED = 10_000
References = tuple[tuple[Digest, Platform | None], ...]


class Platforms:
    """Reads configurations and indexes once: their digests name what is in them."""

    def __init__(self, services: Services, parsing: Parsing) -> None:
        self._stores = services.stores
        self._parsing = parsing
        self._images: SizedCache[Digest, Platform] = SizedCache(_REMEMBERED)
        self._indexes: SizedCache[Digest, References] = SizedCache(_REMEMBERED)

    async def of_image(self, told: ManifestAttributes) -> Platform | None:
        """What an image runs on; `None` for what is none, and where the configuration cannot be read."""
        if told.config is None or not media_types.is_image_config(told.config_media_type):
            return None
        known = self._images.get(told.config)
        if known is None:
            known = await self._read_image(told.config)
            self._images.put(told.config, known)
        return known if known.os or known.architecture else None

    async def of_index(self, repository: RepositoryName, told: ManifestAttributes) -> References | None:
        """The manifests of an index with what it says that they run on; `None` for what is no index."""
        if told.config is not None or told.config_media_type:
            return None
        known = self._indexes.get(told.digest)
        if known is None:
            known = await self._read_index(repository, told)
            self._indexes.put(told.digest, known, max(1, len(known)))
        return known

    async def _read_image(self, config: Digest) -> Platform:
        try:
            raw = await self._stores.storage.get(config, self._stores.settings.current.limits.manifest_bytes)
        except ContentTooLarge:
            return Platform()
        return Platform() if raw is None else await self._parsing.read(len(raw), partial(platform_of_config, raw))

    async def _read_index(self, repository: RepositoryName, told: ManifestAttributes) -> References:
        row = ManifestRow(told.digest, told.media_type, told.size)
        raw = await content_of(self._stores.storage, self._stores.metadata, repository, row)
        if raw is None:
            return ()
        return await self._parsing.read(len(raw), partial(_references_of, raw, told.media_type))


def _references_of(raw: bytes, media_type: str) -> References:
    try:
        index = parse_manifest(raw, media_type)
    except OciError:
        return ()
    return tuple((item.digest, item.platform) for item in index.manifests) if isinstance(index, ImageIndex) else ()
