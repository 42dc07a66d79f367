"""A layer's own table of contents, which podman and lazy snapshotters read instead of the tar."""

from dataclasses import asdict, dataclass
from typing import Any, Self

ZSTD_CHUNKED = "zstd:chunked"
ESTARGZ = "eStargz"


@dataclass(frozen=True, slots=True)
class ContentsTable:
    """The table at the end of a layer.

    Attributes:
        kind: `zstd:chunked` or `eStargz`.
        disagreement: how the table differs from the tar, as a sentence without a full stop; "" when they agree.
        offset: byte of the blob where the table begins: for zstd:chunked the content of a skippable frame, for eStargz
            the gzip member of `stargz.index.json`.
        length: its bytes in the blob.
        unpacked: bytes of its JSON.
        packed_digest: `sha256:…` of its bytes in the blob: podman's name for a zstd:chunked table.
        digest: `sha256:…` of its JSON: snapshotters' name for it, and podman's for an eStargz table.
        tar_split: position of the data from which podman rebuilds the tar, `OFFSET:LENGTH:UNPACKED`; "" without any.
    """

    kind: str
    disagreement: str = ""
    offset: int = 0
    length: int = 0
    unpacked: int = 0
    packed_digest: str = ""
    digest: str = ""
    tar_split: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The table that `to_json` wrote."""
        return cls(**document)
