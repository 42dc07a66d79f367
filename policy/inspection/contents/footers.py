"""The footer of a layer, which locates its table of contents.

zstd:chunked ends in a skippable frame (RFC 8878 section 3.1.2) of little-endian 64-bit numbers: offset, length and
unpacked length of the table, the type 1, in the newer form offset, length and unpacked length of the tar-split data,
and the magic word. eStargz ends in an empty gzip member whose extra field is the offset in 16 hexadecimal digits and
`STARGZ`; the older stargz lacks the field's identifier `SG`; a third form says that the table is kept elsewhere.
Sources: container-libs storage `pkg/chunked`, stargz-snapshotter `docs/estargz.md` and `estargz/`.

Readers look for a footer whatever the layer's media type or compression is, and so does this.
"""

import re
import struct
from dataclasses import dataclass
from typing import Protocol

from policy.inspection.layer.contents_table import ESTARGZ, ZSTD_CHUNKED

TAIL = 128
FRAME_HEADER = 8
"""Bytes of a skippable frame's header: magic number and length."""
_SKIPPABLE = b"\x50\x2a\x4d\x18"
_ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", _SKIPPABLE)
_WORDS = (b"GnUlInUx", b"GNUlInUx")
_SIZES = (40, 56, 64)
_READ_ALSO = (40, 48, 56, 64)
_TYPE = 1
_GZIP_BEGIN = rb"\x1f\x8b\x08\x04.{6}"
_GZIP_END = rb"\x01\x00\x00\xff\xff\x00{8}"
_OFFSET = rb"([0-9a-f]{16})STARGZ"
_ESTARGZ = re.compile(_GZIP_BEGIN + rb"\x1a\x00SG\x16\x00" + _OFFSET + _GZIP_END, re.DOTALL)
_STARGZ = re.compile(_GZIP_BEGIN + rb"\x16\x00" + _OFFSET + _GZIP_END, re.DOTALL)
_ELSEWHERE = re.compile(_GZIP_BEGIN + rb"\x15\x00SG\x11\x00STARGZEXTERNALTOC" + _GZIP_END, re.DOTALL)
_ESTARGZ_SIZE, _STARGZ_SIZE, _ELSEWHERE_SIZE = 51, 47, 46


class Blob(Protocol):
    """A whole layer."""

    size: int

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes from `offset` on, which must lie inside."""
        ...


@dataclass(frozen=True, slots=True)
class Footer:
    """The position of the table in the blob, in bytes; `unpacked` and `tar_split` are for zstd:chunked only."""

    kind: str
    offset: int
    length: int
    unpacked: int = 0
    tar_split: str = ""


class TocMismatch(Exception):
    """The table of contents is wrong; the message says why, as a sentence without a full stop."""


def find(blob: Blob) -> Footer | None:
    """The footer at the end of the blob; `None` when no reader would find one.

    Raises:
        TocMismatch: there is one, but readers would disagree on it or find no table in this layer.
    """
    tail = blob.read_at(max(0, blob.size - TAIL), min(TAIL, blob.size))
    if tail.endswith(_WORDS):
        return _zstd_chunked(blob, tail)
    if b"STARGZ" in tail[-64:]:
        return _estargz(blob, tail)
    return None


def kind_at(blob: Blob) -> str:
    """The kind of footer that the blob seems to have."""
    return ZSTD_CHUNKED if blob.read_at(max(0, blob.size - 8), min(8, blob.size)).endswith(_WORDS) else ESTARGZ


def _zstd_chunked(blob: Blob, tail: bytes) -> Footer:
    sizes = [size for size in _SIZES if tail[-size - FRAME_HEADER : -size] == _SKIPPABLE + struct.pack("<I", size)]
    if len(sizes) != 1:
        raise TocMismatch("its footer has none of the known forms of zstd:chunked")
    numbers = struct.unpack_from(f"<{sizes[0] // 8 - 1}Q", tail, len(tail) - sizes[0])
    offset, length, unpacked, kind = numbers[:4]
    end = blob.size - sizes[0] - FRAME_HEADER
    if kind != _TYPE:
        raise TocMismatch(f"its footer names type {kind}: only type {_TYPE} is known")
    if offset < FRAME_HEADER or not length or offset + length > end:
        raise TocMismatch("its footer names a place that is not in the layer")
    for size in _READ_ALSO:
        _refuse_other_reading(blob, tail, size, (offset, length))
    tar_split = ":".join(str(number) for number in numbers[4:7]) if len(numbers) == 7 and numbers[4] else ""
    return Footer(ZSTD_CHUNKED, offset, length, unpacked, tar_split)


def _refuse_other_reading(blob: Blob, tail: bytes, size: int, place: tuple[int, int]) -> None:
    """Refuse a footer that readers of another form would misread: they look at the magic word only."""
    if len(tail) < size:
        return
    offset, length = struct.unpack_from("<2Q", tail, len(tail) - size)
    if (offset, length) == place or not length or offset + 4 > blob.size:
        return
    if blob.read_at(offset, 4) in _ZSTD_MAGICS:
        raise TocMismatch("its footer names another table to readers of an older or a newer form")


def _estargz(blob: Blob, tail: bytes) -> Footer:
    if _ELSEWHERE.fullmatch(tail[-_ELSEWHERE_SIZE:]):
        raise TocMismatch("its table is kept outside of the layer, where nobody can compare it")
    for form, size in ((_ESTARGZ, _ESTARGZ_SIZE), (_STARGZ, _STARGZ_SIZE)):
        match = form.fullmatch(tail[-size:])
        if match:
            offset, end = int(match[1], 16), blob.size - size
            if offset >= end:
                raise TocMismatch("its footer names a place that is not in the layer")
            return Footer(ESTARGZ, offset, end - offset)
    raise TocMismatch("its footer has none of the known forms of eStargz")
