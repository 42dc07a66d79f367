"""What the preloaded library has noted: calls that changed files, in their order, with the bytes (see faults.c)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

_HEAD = struct.Struct("=5q")


class Change(IntEnum):
    """What a call has changed."""

    CREATE = 1
    WRITE = 2
    SYNC = 3
    SIZE = 4
    RENAME = 5
    LINK = 6
    UNLINK = 7
    MKDIR = 8
    RMDIR = 9
    SYNC_ALL = 10
    LOST = 11
    LOST_ALL = 12
    MODE = 13


@dataclass(frozen=True, slots=True)
class Note:
    """One change.

    Attributes:
        change: what.
        inode: number of the file; 0 where the path says all.
        offset: where bytes were written, the new size, or the mode.
        path: of the file or folder.
        more: the bytes that were written, or the second path.
    """

    change: Change
    inode: int
    offset: int
    path: str
    more: bytes


def read_notes(path: Path) -> Iterator[Note]:
    """All of a file."""
    content = path.read_bytes()
    place = 0
    while place < len(content):
        change, inode, offset, first, second = _HEAD.unpack_from(content, place)
        place += _HEAD.size
        name, more = content[place : place + first], content[place + first : place + first + second]
        place += first + second
        yield Note(Change(change), inode, offset, name.decode(), more)
