"""The structural index of one layer: path -> entry, sorted, in small compressed blocks.

Composing an image looks up a few dozen paths of each layer, so only their blocks are decompressed. NUL separates paths
and entries, which cannot contain it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from policy.inspection.archive.zstandard import zstd

_PATHS_PER_BLOCK = 192
_LEVEL = 1


class Entries(Protocol):
    """A lookup of entries by path in one layer."""

    def get(self, path: bytes) -> bytes | None:
        """The entry (see policy/inspection/layer/tree.py); `None` when the layer has none for the path."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """All entries of a layer, compressed.

    Attributes:
        firsts: first path of each block, ascending.
        blocks: zstd frames of `PATH NUL ENTRY NUL PATH …`.
    """

    firsts: tuple[bytes, ...] = ()
    blocks: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, entries: Mapping[bytes, bytes]) -> Self:
        """Pack entries; the same entries give the same table."""
        firsts, blocks = [], []
        paths = sorted(entries)
        packer = zstd.ZstdCompressor(_LEVEL)
        for start in range(0, len(paths), _PATHS_PER_BLOCK):
            chunk = paths[start : start + _PATHS_PER_BLOCK]
            firsts.append(chunk[0])
            text = b"\0".join([part for path in chunk for part in (path, entries[path])])
            blocks.append(packer.compress(text, packer.FLUSH_FRAME))
        return cls(tuple(firsts), tuple(blocks))

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Every path with its entry, in order of bytes."""
        for block in self.blocks:
            yield from _unpacked(block).items()

    def to_bytes(self) -> bytes:
        """All blocks, each preceded by its first path; both with their length."""
        return b"".join(_framed(first) + _framed(block) for first, block in zip(self.firsts, self.blocks, strict=True))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """The table that `to_bytes` wrote."""
        parts = list(_parts(raw))
        return cls(tuple(parts[::2]), tuple(parts[1::2]))


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _parts(raw: bytes) -> Iterable[bytes]:
    position = 0
    while position < len(raw):
        size = int.from_bytes(raw[position : position + 4], "big")
        yield raw[position + 4 : position + 4 + size]
        position += 4 + size


def _unpacked(block: bytes) -> dict[bytes, bytes]:
    parts = zstd.decompress(block).split(b"\0")
    return dict(zip(parts[::2], parts[1::2], strict=True))


class OpenTable:
    """A table with a cache of decompressed blocks."""

    __slots__ = ("_open", "_table")

    def __init__(self, table: Table) -> None:
        self._table = table
        self._open: dict[int, dict[bytes, bytes]] = {}

    def get(self, path: bytes) -> bytes | None:
        """The entry of a path."""
        index = bisect_right(self._table.firsts, path) - 1
        if index < 0:
            return None
        block = self._open.get(index)
        if block is None:
            block = self._open[index] = _unpacked(self._table.blocks[index])
        return block.get(path)
