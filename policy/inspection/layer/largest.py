"""What takes the room in a layer: its largest files, and the directories with the most below them."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest

_FILES = frozenset(b"fx")

Sized = tuple[bytes, int]
"""A path, and bytes of content."""


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest of a layer, as unpacked; of a file with several names each name counts.

    Attributes:
        files: the largest first.
        directories: each with all below it, the largest first; without one that holds nothing beside one directory.
        count: of all files.
        bytes: of all files together.
    """

    files: tuple[Sized, ...] = ()
    directories: tuple[Sized, ...] = ()
    count: int = 0
    bytes: int = 0


def largest_of(entries: Iterable[tuple[bytes, bytes]], most: int) -> Largest:
    """The largest of a layer, `most` of each kind at most.

    Args:
        entries: path and entry (policy/inspection/layer/tree.py).
        most: files and directories that are told.
    """
    files = [(path, int(entry[1:])) for path, entry in entries if entry[0] in _FILES]
    return Largest(
        _first(files, most),
        _first(_directories(files), most),
        len(files),
        sum(size for _, size in files),
    )


def _directories(files: Iterable[Sized]) -> list[Sized]:
    own: dict[bytes, int] = {}
    for path, size in files:
        parent = path.rpartition(b"/")[0]
        own[parent] = own.get(parent, 0) + size
    whole: dict[bytes, int] = {}
    for directory, size in own.items():
        above = directory
        while above:
            whole[above] = whole.get(above, 0) + size
            above = above.rpartition(b"/")[0]
    said_below = {parent for each, size in whole.items() if whole.get(parent := each.rpartition(b"/")[0]) == size}
    return [(each, size) for each, size in whole.items() if each not in said_below]


def _first(sized: Iterable[Sized], most: int) -> tuple[Sized, ...]:
    return tuple(nsmallest(most, (each for each in sized if each[1]), key=lambda each: (-each[1], each[0])))
