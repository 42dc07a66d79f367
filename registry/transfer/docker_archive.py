"""Archives of `docker save` in the form before OCI layouts (image-spec v1.2 of Docker), as a source.

Such an archive has no manifests. Each image gets one that depends on nothing but the archive: its configuration as it
is, and its layers as they are. A layer that is not compressed is named by the `diff_ids` of the configuration, so that
none is read to find out whether it is there already.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from registry.config.transfer import TransferSettings
from registry.oci import media_types, strict_json
from registry.oci.canonical_json import canonical_json
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.errors import OciError
from registry.transfer.contents import SourceImage
from registry.transfer.errors import SourceUnusable
from registry.transfer.files import TarFiles, missing
from registry.transfer.layout import tag_of
from registry.transfer.walking import in_thread

MARK, EARLIER_MARK = "manifest.json", "repositories"
_MAGICS = {b"\x1f\x8b": "+gzip", b"\x28\xb5\x2f\xfd": "+zstd"}
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip"}


class DockerArchiveSource:
    """The images of one archive.

    Args:
        files: its members.
        limits: of what is read.
    """

    def __init__(self, files: TarFiles, limits: TransferSettings) -> None:
        self._files = files
        self._limits = limits
        self._manifests: dict[Digest, bytes] = {}
        self._members: dict[Digest, str] = {}
        self._layers: dict[str, Descriptor] = {}
        self._images: list[SourceImage] | None = None

    async def images(self) -> Sequence[SourceImage]:
        """One for each tag, and one for each image without."""
        if self._images is None:
            self._images = await asyncio.to_thread(self._read)
        return self._images

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """A manifest that was made of the archive."""
        return self._manifests[descriptor.digest]

    def blob(self, descriptor: Descriptor, start: int = 0) -> AsyncIterator[bytes]:
        """A configuration or a layer."""
        return in_thread(self._files.pieces(self._members[descriptor.digest], start))

    async def holds(self, descriptor: Descriptor) -> bool:
        """Whether it is one of the archive's."""
        return descriptor.digest in self._members

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:  # noqa: ARG002
        """Such archives have none."""
        return ()

    async def close(self) -> None:
        """Close the archive."""
        self._files.close()

    def _read(self) -> list[SourceImage]:
        entries = _document(self._files.read(MARK, self._limits.document_bytes), MARK)
        if not isinstance(entries, list) or not entries:
            raise SourceUnusable(f"{MARK} of the archive is no list of images: make it again with docker save")
        return [
            image for number, entry in enumerate(entries) for image in self._images_of(entry, f"image {number + 1}")
        ]

    def _images_of(self, entry: Any, which: str) -> list[SourceImage]:
        config_name = _text(entry, "Config", which)
        raw = self._files.read(config_name, self._limits.document_bytes)
        config = self._know(config_name, Descriptor(media_types.OCI_CONFIG, Digest.of(raw), len(raw)))
        layers = self._layers_of(entry, raw, which)
        manifest = canonical_json(
            {
                "schemaVersion": 2,
                "mediaType": media_types.OCI_MANIFEST,
                "config": _json(config),
                "layers": [_json(layer) for layer in layers],
            }
        )
        descriptor = Descriptor(media_types.OCI_MANIFEST, Digest.of(manifest), len(manifest))
        self._manifests[descriptor.digest] = manifest
        names = _texts(entry, "RepoTags", which)
        return [SourceImage(descriptor, tag_of(name), name) for name in names] or [
            SourceImage(descriptor, None, str(config.digest))
        ]

    def _layers_of(self, entry: Any, raw: bytes, which: str) -> list[Descriptor]:
        names, ids = _texts(entry, "Layers", which), _diff_ids(_document(raw, "its configuration"), which)
        if len(names) != len(ids):
            raise SourceUnusable(
                f"{which} of the archive has {len(names)} layers, and its configuration {len(ids)}: it is damaged"
            )
        return [self._layer(name, diff_id) for name, diff_id in zip(names, ids, strict=True)]

    def _layer(self, name: str, diff_id: Digest) -> Descriptor:
        known = self._layers.get(name)
        if known is None:
            known = self._layers[name] = self._know(name, self._described(name, diff_id))
        return known

    def _described(self, name: str, diff_id: Digest) -> Descriptor:
        size = self._files.size(name)
        if size is None:
            raise missing(name)
        first = next(self._files.pieces(name), b"")
        for magic, kind in _OTHERS.items():
            if first.startswith(magic):
                raise SourceUnusable(f"layer {name[:255]!r} is {kind}: needs tar, tar with gzip, or tar with zstd")
        suffix = next((suffix for magic, suffix in _MAGICS.items() if first.startswith(magic)), "")
        digest = self._hashed(name) if suffix else diff_id
        return Descriptor(f"{media_types.OCI_LAYER}{suffix}", digest, size)

    def _hashed(self, name: str) -> Digest:
        hasher = hashlib.sha256()
        for piece in self._files.pieces(name):
            hasher.update(piece)
        return Digest(f"sha256:{hasher.hexdigest()}")

    def _know(self, name: str, descriptor: Descriptor) -> Descriptor:
        self._members[descriptor.digest] = name
        return descriptor


def _json(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def _document(raw: bytes, what: str) -> Any:
    try:
        return strict_json.loads(raw)
    except strict_json.JsonRefused as error:
        raise SourceUnusable(f"{what} of the archive cannot be read: {error}") from None


def _text(entry: Any, name: str, which: str) -> str:
    value = entry.get(name) if isinstance(entry, Mapping) else None
    if not isinstance(value, str) or not value:
        raise SourceUnusable(f"{which} of the archive names no {name}: make it again with docker save")
    return value


def _texts(entry: Any, name: str, which: str) -> list[str]:
    value = entry.get(name) if isinstance(entry, Mapping) else None
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SourceUnusable(f"{name} of {which} of the archive is no list of names")
    return list(dict.fromkeys(value)) if name == "RepoTags" else value


def _diff_ids(config: Any, which: str) -> list[Digest]:
    rootfs = config.get("rootfs") if isinstance(config, Mapping) else None
    ids = rootfs.get("diff_ids") if isinstance(rootfs, Mapping) else None
    if ids is None:
        ids = []
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise SourceUnusable(f"the configuration of {which} of the archive names no diff_ids: it is damaged")
    try:
        return [Digest.parse(item) for item in ids]
    except OciError as error:
        raise SourceUnusable(f"the configuration of {which} of the archive: {error}") from None
