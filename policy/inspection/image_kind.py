"""Whether a manifest is an image, an artifact, or unclear; decided by bytes, as docker, containerd and podman do.

The table is in docs/rules.md, "What is an image"; every row has a test. Media types only count when they keep every
runtime from starting the content.
"""

import asyncio
from enum import StrEnum
from typing import Any

from policy.inspection.facts import Problem
from policy.inspection.layer.head import HEAD, LONGEST_HEAD, Opening, opening
from registry.oci import media_types, strict_json
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, ContentTooLarge
from registry.oci.manifest import ImageManifest
from registry.oci.shapes import folded
from registry.storage.blob_store import BlobStore

_EMPTY = Digest.of(b"{}")
_SPACE = b" \t\r\n"
_LONG = 16_384
"""Bytes of a configuration past which it is read beside the event loop."""


class ImageKind(StrEnum):
    """What a manifest (not an index) is to runtimes."""

    IMAGE = "image"
    ARTIFACT = "artifact"
    UNCLEAR = "unclear"


def kind_by_types(manifest: ImageManifest) -> ImageKind | None:
    """The kind by media types alone; `None` when the bytes decide."""
    layers = manifest.layers
    types = {layer.media_type for layer in layers}
    layered = any(map(media_types.is_image_layer, types))
    if media_types.is_image_config(manifest.config.media_type):
        return ImageKind.IMAGE if layered or not layers else None
    if layers and not any(map(media_types.is_taken, {manifest.config.media_type, *types})):
        return ImageKind.ARTIFACT
    return None


async def image_kind(
    manifest: ImageManifest, storage: BlobStore, config_bytes: int
) -> tuple[ImageKind, tuple[Problem, ...]]:
    """The kind of a manifest, and why it is unclear when it is.

    Args:
        manifest: the manifest.
        storage: has its configuration and layers; at most the first bytes of each layer are read.
        config_bytes: the largest configuration to read.
    """
    kind = kind_by_types(manifest)
    if kind is not None:
        return kind, ()
    layered = any(media_types.is_image_layer(layer.media_type) for layer in manifest.layers)
    if not await _may_start(manifest, storage, config_bytes, layered=layered):
        return ImageKind.ARTIFACT, ()
    if not manifest.layers or any(media_types.is_encrypted(layer.media_type) for layer in manifest.layers):
        return ImageKind.IMAGE, ()
    by_any = layered or media_types.is_image_config(manifest.config.media_type)
    return await _kind_by_layers(manifest, storage, layered=layered, by_any=by_any)


async def _kind_by_layers(
    manifest: ImageManifest, storage: BlobStore, *, layered: bool, by_any: bool
) -> tuple[ImageKind, tuple[Problem, ...]]:
    """The kind by its layers, given that a runtime accepts the configuration.

    When no media type is an image's (`by_any` is false), only docker would start it, and docker unpacks every layer.
    """
    missing, opens = [], False
    for index, layer in _each_once(manifest.layers):
        opened = await _opening(layer, storage)
        if opened is None:
            missing.append(_missing(layer, index))
        elif opened in {Opening.TAR, Opening.UNDECIDED}:
            opens = True
        elif opened is Opening.OTHER and not by_any:
            return ImageKind.ARTIFACT, ()
        if opens and by_any:
            break
    if opens and (by_any or not missing):
        return ImageKind.IMAGE, ()
    if missing:
        return ImageKind.UNCLEAR, tuple(missing)
    return (ImageKind.UNCLEAR, (_UNCLEAR,)) if layered else (ImageKind.ARTIFACT, ())


def encrypted_layers(manifest: ImageManifest) -> tuple[Problem, ...]:
    """One problem for each encrypted layer: holders of the key see content that is not visible here."""
    encrypted = set(filter(media_types.is_encrypted, {layer.media_type for layer in manifest.layers}))
    return tuple(
        Problem("encrypted-layer", f"layer {index} is encrypted: what is in it cannot be seen", layer.digest, index)
        for index, layer in enumerate(manifest.layers if encrypted else ())
        if layer.media_type in encrypted
    )


_UNCLEAR = Problem(
    "unclear-kind",
    "its configuration is an image's and a layer has the type of an image's layer, but no layer opens as a tar archive",
)


async def _may_start(manifest: ImageManifest, storage: BlobStore, config_bytes: int, *, layered: bool) -> bool:
    """Whether some runtime accepts the configuration; podman accepts any in a Docker manifest."""
    if media_types.is_image_config(manifest.config.media_type):
        return True
    if layered and manifest.media_type == media_types.DOCKER_MANIFEST:
        return True
    if manifest.config.digest == _EMPTY:
        return False
    try:
        raw = await storage.get(manifest.config.digest, config_bytes)
    except ContentTooLarge:
        return True
    if raw is None or len(raw) <= _LONG:
        return raw is None or is_runtime_config(raw)
    return await asyncio.to_thread(is_runtime_config, raw)


def is_runtime_config(raw: bytes) -> bool:
    """Whether the bytes of a configuration carry `rootfs.diff_ids`, or cannot be read here as Go may read them."""
    try:
        document = strict_json.loads(raw)
    except strict_json.JsonRefused:
        # Go accepts more: duplicate names, half surrogate pairs, deep nesting.
        return raw.lstrip(_SPACE).startswith(b"{")
    return any("diff_ids" in map(folded, rootfs) for rootfs in _folded_members(document, "rootfs"))


def _folded_members(document: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        return []
    return [value for key, value in document.items() if folded(key) == name and isinstance(value, dict)]


def _each_once(layers: tuple[Descriptor, ...]) -> list[tuple[int, Descriptor]]:
    first: dict[str, tuple[int, Descriptor]] = {}
    for index, layer in enumerate(layers):
        first.setdefault(layer.digest, (index, layer))
    return list(first.values())


def _missing(layer: Descriptor, index: int) -> Problem:
    message = f"layer {index} ({layer.digest}) is not in this registry"
    return Problem("missing-layer", message, layer.digest, index)


async def _opening(layer: Descriptor, storage: BlobStore) -> Opening | None:
    """What the first bytes of a layer are; `None` when the layer is missing."""
    blob = await storage.stat(layer.digest)
    if blob is None:
        return None
    state = Opening.UNDECIDED
    for longest in (HEAD, LONGEST_HEAD):
        size = min(blob.size, longest)
        try:
            head = b"".join([piece async for piece in storage.read(blob, 0, size)])
        except BlobUnknown:  # garbage-collected meanwhile
            return None
        state = await asyncio.to_thread(opening, head, whole=size == blob.size)
        if state is not Opening.UNDECIDED or size == blob.size:
            break
    return state
