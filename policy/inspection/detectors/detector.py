"""A detector: a name, a version, the files it reads, and one function that reads them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


class Unreadable(ValueError):
    """A file does not contain what its name promises; the message says why."""


@dataclass(frozen=True, slots=True)
class Detector:
    """Reads one kind of file wherever it lies in a layer.

    Attributes:
        name: one word.
        version: increase it when `wanted` or `read` change: layers are then inspected again.
        wanted: a regular expression without capturing groups; it must match the whole last part of the path.
        read: bytes of the file -> values; raises `Unreadable`.
        parent: when not empty, the directory (from the root) that the file must lie in.
        where: when not empty, a regular expression that must match the whole path as well.
        limit: the most bytes to read of a file; 0 for the budget's `body_bytes`.
        beginning: whether the first `limit` bytes of a longer file are enough; otherwise a longer file is not read.
    """

    name: str
    version: int
    wanted: bytes
    read: Callable[[bytes], Mapping[str, str]]
    parent: bytes = b""
    where: bytes = b""
    limit: int = 0
    beginning: bool = False
