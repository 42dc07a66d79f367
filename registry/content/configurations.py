"""Checks an image configuration when its manifest is pushed: would a runtime written in Go read another document?

That is the reader of the image-spec's documents, whatever the bytes are called, and no policy: a configuration in which
`Config` or `rootFS` would count is refused as a manifest of that kind is. What is no JSON is left to whoever inspects.
"""

from functools import partial

from registry.caches import SizedCache
from registry.content.parsing import Parsing
from registry.oci import media_types, strict_json
from registry.oci.digest import Digest
from registry.oci.errors import ContentTooLarge, ManifestInvalid
from registry.oci.manifest import ImageIndex, Manifest
from registry.oci.shapes import CONFIGURATION, folded
from registry.storage.blob_store import BlobStore

_REMEMBERED = 10_000


class Configurations:
    """Reads each configuration once; valid ones are remembered by digest and type."""

    def __init__(self, storage: BlobStore, parsing: Parsing) -> None:
        self._storage = storage
        self._parsing = parsing
        self._right: SizedCache[tuple[Digest, bool], bool] = SizedCache(_REMEMBERED)

    async def require_right(self, manifest: Manifest, maximum: int) -> None:
        """Check the configuration of a manifest that a runtime may start.

        Args:
            manifest: the manifest that is pushed.
            maximum: the largest configuration that is read, in bytes; a larger one is not checked.

        Raises:
            ManifestInvalid: a member is spelled in another case, and runtimes would accept it nevertheless.
        """
        if isinstance(manifest, ImageIndex):
            return
        is_image = media_types.is_image_config(manifest.config.media_type)
        if self._right.get((manifest.config.digest, is_image)):
            return
        try:
            raw = await self._storage.get(manifest.config.digest, maximum)
        except ContentTooLarge:
            return
        if raw is not None:
            look = partial(_require_right, manifest.config.digest, raw, is_image=is_image)
            await self._parsing.read(len(raw), look)
            self._right.put((manifest.config.digest, is_image), True)


def _require_right(digest: Digest, raw: bytes, *, is_image: bool) -> None:
    try:
        document = strict_json.loads(raw)
    except strict_json.JsonRefused as error:
        if isinstance(error, strict_json.MembersUnclear) and (is_image or b"diff_ids" in raw):
            raise _invalid(digest, error) from None
        return
    if isinstance(document, dict) and (is_image or any(folded(name) == "rootfs" for name in document)):
        try:
            strict_json.refuse_misspelt(document, CONFIGURATION)
        except strict_json.MembersUnclear as error:
            raise _invalid(digest, error) from None


def _invalid(digest: Digest, error: strict_json.MembersUnclear) -> ManifestInvalid:
    return ManifestInvalid(f"configuration {digest} invalid: {error}")
