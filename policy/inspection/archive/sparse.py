"""Sparse members: GNU's old form (type S) and the pax forms 0.0, 0.1 and 1.0 (GNU tar manual, "Sparse Formats")."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from policy.inspection.archive import pax
from policy.inspection.archive.pieces import BLOCK
from policy.inspection.budgets import damaged, over_budget

_REGION = 24
_DIGITS = 18
_LINE = _DIGITS + 1
_IN_HEADER = (386, 4, 482)
_IN_EXTENSION = (0, 21, 504)
_REAL_SIZE = slice(483, 495)


@dataclass(frozen=True, slots=True)
class SparseMap:
    """The positions of a member's stored bytes in the file.

    Attributes:
        regions: offset and length of each stored region in the file.
        size: length of the file.
        overhead: bytes that the map itself takes in the member's body (format 1.0).
    """

    regions: tuple[tuple[int, int], ...]
    size: int
    overhead: int = 0

    def expanded(self, stored: bytes) -> bytes:
        """The file's bytes, holes filled with NUL."""
        whole = bytearray(self.size)
        position = 0
        for offset, length in self.regions:
            whole[offset : offset + length] = stored[position : position + length]
            position += length
        return bytes(whole)


def checked(regions: list[tuple[int, int]], size: int, stored: int, overhead: int = 0) -> SparseMap:
    """A map, checked: regions in order, inside the file, and as long together as the stored bytes.

    Raises:
        LayerRefused: they are not.
    """
    end = 0
    for offset, length in regions:
        if offset < end or offset + length > size:
            raise damaged("a sparse member has regions out of order or beyond its size")
        end = offset + length
    if sum(length for _, length in regions) != stored:
        raise damaged("a sparse member claims more or fewer bytes than it stores")
    return SparseMap(tuple(regions), size, overhead)


def old_map(
    header: bytes, stored: int, next_block: Callable[[], bytes], number: Callable[[bytes], int], most: int
) -> SparseMap:
    """The map of a type S member, with its extension blocks.

    Raises:
        LayerRefused: the archive ends inside it, the map makes no sense, or it has more than `most` regions.
    """
    block, (start, count, follows) = header, _IN_HEADER
    regions: list[tuple[int, int]] = []
    while True:
        for position in range(start, start + count * _REGION, _REGION):
            if not block[position]:
                break
            regions.append((number(block[position : position + 12]), number(block[position + 12 : position + 24])))
        if not block[follows]:
            return checked(regions, number(header[_REAL_SIZE]), stored)
        block, (start, count, follows) = next_block(), _IN_EXTENSION
        if not block:
            raise damaged("a sparse member's map does not end")
        _count(len(regions), most)


def is_text_map(records: Mapping[bytes, bytes]) -> bool:
    """Whether the pax records announce format 1.0, whose map precedes the body."""
    return _version(records) == (b"1", b"0")


def is_sparse(records: Mapping[bytes, bytes]) -> bool:
    """Whether the pax records describe a sparse member in a known format."""
    version = _version(records)
    if version == (b"", b""):
        return pax.SPARSE_MAP in records
    return version in {(b"0", b"0"), (b"0", b"1"), (b"1", b"0")}


def _version(records: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
    return records.get(pax.SPARSE + b"major", b""), records.get(pax.SPARSE + b"minor", b"")


def real_size(records: Mapping[bytes, bytes], default: int) -> int:
    """The file's length as the pax records give it."""
    text = records.get(pax.SPARSE + b"size") or records.get(pax.SPARSE + b"realsize")
    return _decimal(text) if text else default


def pax_map(records: Mapping[bytes, bytes], stored: int, most: int) -> SparseMap:
    """The map of formats 0.0 and 0.1: `offset,length,…` in the pax records.

    Raises:
        LayerRefused: the map makes no sense, or has more than `most` regions.
    """
    text = records.get(pax.SPARSE_MAP, b"")
    numbers = [_decimal(item) for item in text.split(b",")] if text else []
    if len(numbers) % 2:
        raise damaged("a sparse member's map has an odd number of entries")
    _count(len(numbers) // 2, most)
    return checked(list(zip(numbers[::2], numbers[1::2], strict=True)), real_size(records, stored), stored)


def text_map(records: Mapping[bytes, bytes], stored: int, next_block: Callable[[], bytes], most: int) -> SparseMap:
    """The map of format 1.0: decimal lines in whole blocks in front of the body.

    Raises:
        LayerRefused: the map does not end inside the body, makes no sense, or has more than `most` regions.
    """
    blocks: list[bytes] = []
    lines, wanted, longest = 0, 1, _LINE
    while lines < wanted:
        if len(blocks) * BLOCK >= min(stored, longest):
            raise damaged("a sparse member's map does not end")
        blocks.append(next_block())
        lines += blocks[-1].count(b"\n")
        if wanted == 1 and lines:
            count = _decimal(b"".join(blocks).partition(b"\n")[0])
            _count(count, most)
            wanted = 1 + 2 * count
            longest = wanted * _LINE
    overhead = len(blocks) * BLOCK
    numbers = [_decimal(line) for line in b"".join(blocks).split(b"\n")[1:wanted]]
    regions = list(zip(numbers[::2], numbers[1::2], strict=True))
    return checked(regions, real_size(records, stored), stored - overhead, overhead)


def _count(regions: int, most: int) -> None:
    if regions > most:
        raise over_budget(f"a sparse member has more than {most} regions")


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > _DIGITS:
        raise damaged("a sparse member's map holds something other than numbers")
    return int(text)
