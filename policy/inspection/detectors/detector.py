"""What a detector is: a name, a version, the files it wants, and one function that reads them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


class Unreadable(ValueError):
    """A wanted file does not hold what its name promises; the message says why."""


@dataclass(frozen=True, slots=True)
class Detector:
    """Reads one kind of file wherever it lies in a layer.

    Attributes:
        name: one word.
        version: raise it when `wanted` or `read` change: layers are then inspected anew.
        wanted: a regular expression, without capturing groups, that the last part of a wanted path matches whole.
        read: bytes of the file -> what they say; raises `Unreadable`.
        parent: when not empty, the directory (from the root) that the file must lie in.
        where: when not empty, a regular expression that the whole path must match too; files it leaves out cost no more
            than that match.
        limit: bytes of the file that are read at most; 0 for the budget's `body_bytes`.
        beginning: whether the first `limit` bytes of a longer file will do; otherwise a longer file is not read.
    """

    name: str
    version: int
    wanted: bytes
    read: Callable[[bytes], Mapping[str, str]]
    parent: bytes = b""
    where: bytes = b""
    limit: int = 0
    beginning: bool = False
