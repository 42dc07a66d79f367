"""Records: the values that a detector read in one file of one layer, with the place that proves them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VALUE_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One file that a detector has read.

    Attributes:
        detector: the detector's name.
        path: the member with the bytes, cleaned, as it is unpacked within its layer.
        offset: where the stored bytes begin in the uncompressed stream.
        stored: number of stored bytes.
        size: length of the file; larger than `stored` when it is sparse or only its beginning was read.
        sha256: hex digest of the stored bytes.
        values: the values read.
        trouble: why the file could not be read; "" otherwise.
    """

    detector: str
    path: bytes
    offset: int
    stored: int
    size: int
    sha256: str
    values: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""

    def to_list(self) -> list[Any]:
        """As JSON data; bytes as latin-1 text."""
        path = self.path.decode("latin-1")
        values = dict(self.values)
        return [self.detector, path, self.offset, self.stored, self.size, self.sha256, values, self.trouble]

    @classmethod
    def from_list(cls, items: list[Any]) -> "Record":
        """The record that `to_list` wrote."""
        return cls(items[0], items[1].encode("latin-1"), *items[2:])
