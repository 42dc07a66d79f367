"""Copies of the rows, kept where blobs are: what a lost database is made anew from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """One copy.

    Attributes:
        store: id of the store whose rows it has.
        event: number of the last change in it.
        made: when these rows were read, in seconds since the epoch.
        name: where it is kept.
        size: its bytes.
    """

    store: str
    event: int
    made: float
    name: str
    size: int


class RowCopies(Protocol):
    """All of it blocks, and raises Unavailable when the store is away."""

    def put(self, store: str, event: int, made: float, file: Path) -> KeptCopy:
        """Keep a file durably as a copy; it can be seen when all of it is there."""
        ...

    def kept(self) -> list[KeptCopy]:
        """What there is of any store, the oldest first."""
        ...

    def get(self, copy: KeptCopy, file: IO[bytes]) -> None:
        """Write a copy to a file. Raises FileNotFoundError when it has gone."""
        ...

    def remove(self, copies: Sequence[KeptCopy]) -> None:
        """Remove copies; those that are not there are removed too."""
        ...


@runtime_checkable
class CopiesStore(Protocol):
    """A store of blobs that keeps copies of rows as well."""

    @property
    def copies(self) -> RowCopies:
        """Of the rows that tell of its blobs."""
        ...
