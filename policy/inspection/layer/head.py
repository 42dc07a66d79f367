"""Whether an unpacker would find a tar archive in a layer, decided by its first bytes.

docker, podman and containerd go by magic numbers, never by media types: gzip (RFC 1952), zstd (RFC 8878, perhaps after
skippable frames), bzip2 and xz; anything else is read as a tar archive, whose headers have a checksum but need no
magic number (POSIX.1-2017 pax; archives of Unix V7). Only the first 512 bytes of the archive are read.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from enum import Enum
from typing import Any

from policy.inspection.archive.zstandard import zstd

HEAD = 4096
LONGEST_HEAD = 1_500_000
"""Bytes read when the first 4 KiB do not decide: more than the first block of bzip2, which is the longest."""

_BLOCK = 512
_WINDOW_LOG = 23
_XZ_MEMORY = 64 << 20


class Opening(Enum):
    """What the first bytes are."""

    TAR = "tar"
    EMPTY = "empty"
    OTHER = "other"
    UNDECIDED = "undecided"


def opening(head: bytes, *, whole: bool) -> Opening:
    """Whether a blob with these first bytes opens as a tar archive.

    Args:
        head: the first bytes.
        whole: whether they are the whole blob.

    Returns:
        `EMPTY` for what unpackers take for an archive without members, whatever follows. `UNDECIDED` when more bytes
        are needed, or when compressed data cannot be read here: some unpacker may read it.
    """
    for magic, new_decoder in _DECODERS:
        if head.startswith(magic):
            return _compressed(head, new_decoder, whole=whole)
    if _is_skippable(head):
        return _compressed(head, _zstd_decoder, whole=whole)
    return _archive(head, whole=whole)


def looks_like_layer(head: bytes) -> bool:
    """Whether an upload with these first bytes is worth inspecting while it arrives: gzip, zstd or tar."""
    magics = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
    return head.startswith(magics) or _is_skippable(head) or _is_header(head[:_BLOCK])


def _zstd_decoder() -> Any:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})


def _xz_decoder() -> Any:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


class _Gzip:
    """zlib's decoder with the interface of the others."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(31)

    def decompress(self, data: bytes, size: int) -> bytes:
        return self._decoder.decompress(data, size)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data


_DECODERS: tuple[tuple[bytes, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", _Gzip),
    (b"\x28\xb5\x2f\xfd", _zstd_decoder),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", _xz_decoder),
)
_DAMAGE = (zlib.error, zstd.ZstdError, lzma.LZMAError, OSError, EOFError, ValueError)


def _compressed(head: bytes, new_decoder: Callable[[], Any], *, whole: bool) -> Opening:
    """Decompress members or frames until there is a block of the archive."""
    block = b""
    while head and len(block) < _BLOCK:
        decoder = new_decoder()
        try:
            block += decoder.decompress(head, _BLOCK - len(block))
        except _DAMAGE:
            return Opening.UNDECIDED
        if len(block) < _BLOCK and not decoder.eof:
            return Opening.UNDECIDED
        head = decoder.unused_data
    return _archive(block, whole=whole)


def _archive(head: bytes, *, whole: bool) -> Opening:
    if len(head) < _BLOCK and not whole:
        return Opening.UNDECIDED
    if not head or (len(head) >= _BLOCK and not head[:_BLOCK].strip(b"\0")):
        return Opening.EMPTY
    return Opening.TAR if _is_header(head[:_BLOCK]) else Opening.OTHER


def _is_header(block: bytes) -> bool:
    """Whether the block's checksum is right; old writers added signed bytes."""
    if len(block) < _BLOCK:
        return False
    written = block[148:156].strip(b" \0").partition(b"\0")[0]
    if not written.isdigit() or b"8" in written or b"9" in written:
        return False
    counted = block[:148] + b" " * 8 + block[156:]
    total = sum(counted)
    return int(written, 8) in {total, total - 256 * sum(byte > 127 for byte in counted)}


def _is_skippable(head: bytes) -> bool:
    """RFC 8878 section 3.1.2: magic numbers 0x184D2A50 to 0x184D2A5F."""
    return len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50
