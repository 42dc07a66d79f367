"""Images in memory: entries -> tar -> compressed layer -> configuration, manifest and blobs."""

import gzip
import hashlib
import io
import json
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy.inspection.archive.zstandard import zstd
from policy.inspection.budgets import Budgets
from policy.inspection.contents import with_contents_table
from policy.inspection.facts import ImageFacts
from policy.inspection.image.compose import compose
from policy.inspection.layer.report import LayerInspection
from policy.inspection.layer.scan import scan_layer
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from tests.corpus.tarballs import Entry, tar

TAR = "application/vnd.oci.image.layer.v1.tar"
GZIP = f"{TAR}+gzip"
ZSTD = f"{TAR}+zstd"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PATH = "/opt/miniconda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def gzipped(raw: bytes) -> bytes:
    """One gzip member without a time, fast."""
    return gzip.compress(raw, 1, mtime=0)


def zstandard(raw: bytes) -> bytes:
    """One zstd frame with a checksum."""
    return zstd.compress(raw, options={zstd.CompressionParameter.checksum_flag: 1})


def plain(raw: bytes) -> bytes:
    """As it is."""
    return raw


PACKERS: Mapping[str, Callable[[bytes], bytes]] = {GZIP: gzipped, ZSTD: zstandard, TAR: plain}


@dataclass(frozen=True)
class Layer:
    """A layer's blob, its media type, the diff_id the configuration is to name, and what its descriptor says of it."""

    blob: bytes
    media_type: str
    diff_id: str
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> Digest:
        """The blob's name."""
        return Digest.of(self.blob)


def diff_id(raw: bytes) -> str:
    """The name of an uncompressed layer."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def layer(*entries: Entry, media_type: str = GZIP) -> Layer:
    """A well-formed layer."""
    return packed(tar(*entries), media_type)


def packed(raw: bytes, media_type: str = GZIP) -> Layer:
    """A layer out of an archive's bytes."""
    return Layer(PACKERS[media_type](raw), media_type, diff_id(raw))


def blob_layer(blob: bytes, raw: bytes, media_type: str = GZIP) -> Layer:
    """A layer whose blob was made by hand from an archive."""
    return Layer(blob, media_type, diff_id(raw))


@dataclass(frozen=True)
class Image:
    """An image in memory.

    Attributes:
        layers: oldest first.
        config: the configuration's bytes.
        sizes: sizes the manifest is to claim, by layer index, where they differ from the truth.
        missing: indexes of layers whose blobs are not there.
    """

    layers: tuple[Layer, ...]
    config: bytes
    sizes: Mapping[int, int] = field(default_factory=dict)
    missing: frozenset[int] = frozenset()

    def descriptors(self) -> list[Descriptor]:
        """The manifest's layers."""
        return [
            Descriptor(
                item.media_type,
                item.digest,
                self.sizes.get(index, len(item.blob)),
                annotations=item.annotations,
            )
            for index, item in enumerate(self.layers)
        ]

    def manifest(self) -> bytes:
        """The manifest's bytes."""
        config = {"mediaType": CONFIG, "digest": str(Digest.of(self.config)), "size": len(self.config)}
        layers = [
            {"mediaType": item.media_type, "digest": str(item.digest), "size": item.size}
            | ({"annotations": dict(item.annotations)} if item.annotations else {})
            for item in self.descriptors()
        ]
        return as_json({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers})

    def blobs(self) -> dict[str, bytes]:
        """Configuration and layers by digest."""
        found = {str(Digest.of(self.config)): self.config}
        return found | {str(item.digest): item.blob for item in self.layers}

    def inspected(self, budgets: Budgets | None = None) -> list[LayerInspection | None]:
        """Every layer, looked into."""
        return [None if index in self.missing else inspect(item, budgets) for index, item in enumerate(self.layers)]

    def facts(self, budgets: Budgets | None = None) -> ImageFacts:
        """What is known of the image."""
        return compose(self.config, self.inspected(budgets), self.descriptors())


def inspect(item: Layer, budgets: Budgets | None = None) -> LayerInspection:
    """One layer, looked into, and through its stored form."""
    found = scan_layer(io.BytesIO(item.blob), str(item.digest), budgets=budgets)
    with tempfile.TemporaryFile() as stored:
        stored.write(item.blob)
        stored.flush()
        found = with_contents_table(found, stored.fileno(), len(item.blob), budgets)
    return LayerInspection.from_bytes(found.to_bytes())


def as_json(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def config_document(layers: Sequence[Layer], path: str | None = PATH, **changes: Any) -> dict[str, Any]:
    """A configuration with this PATH (`None`: no environment at all)."""
    env = [] if path is None else [f"PATH={path}", "LANG=C.UTF-8"]
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": env, "Cmd": ["/bin/bash"]},
        "rootfs": {"type": "layers", "diff_ids": [item.diff_id for item in layers]},
        **changes,
    }


def image(
    *layers: Layer | Sequence[Entry], path: str | None = PATH, config: bytes | None = None, **changes: Any
) -> Image:
    """An image of layers, or of lists of entries that become gzip layers."""
    made = tuple(item if isinstance(item, Layer) else layer(*item) for item in layers)
    return Image(made, config if config is not None else as_json(config_document(made, path, **changes)))


def gzip_with_header(raw: bytes, flags: int, extra: bytes) -> bytes:
    """A gzip member whose header carries optional fields."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = packer.compress(raw) + packer.flush()
    tail = zlib.crc32(raw).to_bytes(4, "little") + (len(raw) & 0xFFFFFFFF).to_bytes(4, "little")
    return b"\x1f\x8b\x08" + bytes([flags]) + bytes(5) + b"\x03" + extra + body + tail
