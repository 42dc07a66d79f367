"""Whole images: one real layer, its configuration, and manifests of the two."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.contents import PREFIX
from tests.bench.payloads import (
    MEDIA_TYPES,
    Kind,
    Payload,
    diff_id,
    in_hand,
    payload,
)

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
NOTE_TYPE = "application/vnd.bench.note"
SMALL_LAYER = 1024
"""Bytes of the layer of an image whose layer does not matter."""


@dataclass(frozen=True, slots=True)
class Image:
    """What is pushed of an image before its manifest.

    Attributes:
        kind: how the layer is packed.
        layer: a real tar archive with an Ubuntu, a Conda and a Python that the default policy clears.
        config: the configuration, with the layer's true `diff_id`.
    """

    kind: Kind
    layer: Payload
    config: Payload

    def manifest(self, notes: Mapping[str, str] | None = None) -> bytes:
        """The manifest; other notes make it another one."""
        return _manifest(
            {"mediaType": CONFIG_TYPE, "digest": self.config.digest, "size": self.config.size},
            {"mediaType": MEDIA_TYPES[self.kind], "digest": self.layer.digest, "size": self.layer.size},
            annotations=dict(notes or {}),
        )


def image(kind: Kind, size: int, unique: str) -> Image:
    """The image with a layer of about `size` bytes that `unique` names."""
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": [f"PATH=/{PREFIX}/bin:/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id(kind, size, unique)]},
    }
    return Image(kind, payload(kind, size, unique), in_hand(json.dumps(config).encode()))


def small_image() -> Image:
    """The image of the rows that ask for manifests only."""
    return image("gzip", SMALL_LAYER, "small")


def note(subject: tuple[str, int], content: Payload, empty: Payload, name: str) -> bytes:
    """The manifest of an artifact that says something of an image; `subject` is digest and size of its manifest."""
    return _manifest(
        {"mediaType": EMPTY_TYPE, "digest": empty.digest, "size": empty.size},
        {"mediaType": "text/plain", "digest": content.digest, "size": content.size},
        artifactType=NOTE_TYPE,
        subject={"mediaType": MANIFEST_TYPE, "digest": subject[0], "size": subject[1]},
        annotations={"bench": name},
    )


def digest_of(raw: bytes) -> str:
    """`sha256:…` of a manifest."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _manifest(config: Mapping[str, Any], layer: Mapping[str, Any], **more: Any) -> bytes:
    document = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": [layer], **more}
    return json.dumps(document).encode()
