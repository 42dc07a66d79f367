"""The uncompressed stream of a layer: gzip, zstd or plain tar, told apart by their first bytes, in bounded pieces.

gzip is RFC 1952 with any number of members and zero padding after the last; zstd is RFC 8878 with any number of frames
and skippable frames. Checksums are verified, a stream that ends early or goes on with something else is refused.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from isal import igzip_lib

from policy.inspection.archive.zstandard import zstd
from policy.inspection.budgets import Budgets, LayerRefused, damaged, over_budget

INPUT_PIECE = 256 * 1024
OUTPUT_PIECE = 1024 * 1024
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ISAL: Any = igzip_lib.error
_DAMAGE: tuple[type[Exception], ...] = (_ISAL, zstd.ZstdError, EOFError)
_OTHERS = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "zip",
    b"hsqs": "squashfs",
    b"\x04\x22\x4d\x18": "lz4",
    b"]\x00\x00": "lzma",
}


class Source(Protocol):
    """Bytes of a blob, in order."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, waiting for at least one; b"" at the end."""
        ...


@dataclass(slots=True)
class Meter:
    """Counts the bytes of a stream; `compression` is `gzip`, `zstd` or `none` once known.

    `began` is called at the start of each gzip member or zstd frame with its offset in the blob and the offset of its
    content in the uncompressed stream.
    """

    budgets: Budgets
    compressed: int = 0
    uncompressed: int = 0
    compression: str = ""
    began: Callable[[int, int], None] | None = None

    def count_input(self, piece: bytes) -> bytes:
        """Count compressed bytes."""
        self.compressed += len(piece)
        return piece

    def count_output(self, piece: bytes) -> bytes:
        """Count uncompressed bytes.

        Raises:
            LayerRefused: the budget is exceeded.
        """
        self.uncompressed += len(piece)
        budgets = self.budgets
        if self.uncompressed > budgets.uncompressed_bytes:
            raise over_budget(f"the layer is larger than {budgets.uncompressed_bytes} bytes when uncompressed")
        if self.uncompressed > max(budgets.ratio_from_bytes, budgets.ratio * self.compressed):
            raise over_budget(f"the layer grows to more than {budgets.ratio} times its compressed size")
        return piece


def uncompressed(source: Source, meter: Meter) -> Iterator[bytes]:
    """The stream in non-empty pieces of at most 1 MiB.

    Raises:
        LayerRefused: an unknown format, damage, an early end, or a budget exceeded.
    """
    first = _read_at_least(source, meter, 8)
    if first.startswith(_GZIP):
        meter.compression = "gzip"
        return _inflated(source, meter, first, _gzip_decoder, _GZIP)
    if first.startswith(_ZSTD) or _is_skippable(first):
        meter.compression = "zstd"
        return _inflated(source, meter, first, _zstd_decoder, b"")
    meter.compression = "none"
    for magic, name in _OTHERS.items():
        if first.startswith(magic):
            raise LayerRefused("unsupported-layer", f"the layer is {name}: needs tar, tar+gzip or tar+zstd")
    return _plain(source, meter, first)


def _is_skippable(piece: bytes) -> bool:
    """RFC 8878 section 3.1.2: magic numbers 0x184D2A50 to 0x184D2A5F."""
    return len(piece) >= 4 and piece[1:4] == b"\x2a\x4d\x18" and piece[0] & 0xF0 == 0x50


def _read_at_least(source: Source, meter: Meter, size: int) -> bytes:
    head = meter.count_input(source.read(INPUT_PIECE))
    while head and len(head) < size:
        piece = meter.count_input(source.read(INPUT_PIECE))
        if not piece:
            break
        head += piece
    return head


def _gzip_decoder(_meter: Meter) -> Any:
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)


def _zstd_decoder(meter: Meter) -> Any:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: meter.budgets.window_log})


def _inflated(source: Source, meter: Meter, piece: bytes, new_decoder: Any, magic: bytes) -> Iterator[bytes]:
    """The content of all members (gzip) or frames (zstd); each must start with `magic`."""
    while piece:
        if meter.began is not None:
            meter.began(meter.compressed - len(piece), meter.uncompressed)
        decoder = new_decoder(meter)
        while not decoder.eof:
            if decoder.needs_input and not piece:
                piece = meter.count_input(source.read(INPUT_PIECE))
                if not piece:
                    raise damaged(f"the {meter.compression} stream ends before its last block and checksum")
            try:
                output = decoder.decompress(piece, OUTPUT_PIECE)
            except _DAMAGE as error:
                raise damaged(f"the {meter.compression} stream is damaged: {error}") from None
            piece = b""
            if output:
                yield meter.count_output(output)
        piece = decoder.unused_data or meter.count_input(source.read(INPUT_PIECE))
        if magic and piece and not piece.startswith(magic):
            piece = _after_member(source, meter, piece, magic)


def _after_member(source: Source, meter: Meter, piece: bytes, magic: bytes) -> bytes:
    """The bytes after a gzip member: another member (its magic may be split), or b"" after zero padding."""
    if len(piece) < len(magic) and magic.startswith(piece):
        piece += meter.count_input(source.read(INPUT_PIECE))
        if piece.startswith(magic):
            return piece
    while piece:
        if piece.strip(b"\0"):
            raise damaged("something other than zero padding follows the last gzip member")
        piece = meter.count_input(source.read(INPUT_PIECE))
    return b""


def _plain(source: Source, meter: Meter, piece: bytes) -> Iterator[bytes]:
    while piece:
        yield meter.count_output(piece)
        piece = meter.count_input(source.read(INPUT_PIECE))
