"""What is known of a layer's own table of contents, which podman and lazy snapshotters read instead of the tar."""

from dataclasses import asdict, dataclass
from typing import Any, Self

ZSTD_CHUNKED = "zstd:chunked"
ESTARGZ = "eStargz"


@dataclass(frozen=True, slots=True)
class ContentsTable:
    """The table at the end of a layer.

    Attributes:
        kind: `zstd:chunked` or `eStargz`.
        disagreement: why what the table says is not what the tar holds, as a sentence without its end; "" when both
            say the same.
        offset: byte of the blob where the table begins: zstd:chunked, what a skippable frame holds; eStargz, the gzip
            member of `stargz.index.json`.
        length: bytes of the blob that it takes.
        unpacked: bytes of its JSON.
        packed_digest: `sha256:…` of the table as it stands in the blob, as podman names a zstd:chunked one.
        digest: `sha256:…` of its JSON, as snapshotters name it and podman an eStargz one.
        tar_split: where the data lies from which podman rebuilds the tar, `OFFSET:LENGTH:UNPACKED`; "" without any.
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
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `to_json` wrote."""
        return cls(**found)
