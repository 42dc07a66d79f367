"""Pieces of uploads that several nodes share, kept where blobs are until the uploads are over."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable


class Pieces(Protocol):
    """Acknowledged bytes of uploads in progress. Raises Unavailable, all of it, when the store is away."""

    @property
    def piece_bytes(self) -> int:
        """The largest piece."""
        ...

    async def put(self, upload: str, start: int, content: bytes) -> str:
        """Keep a piece durably; its name, which no other piece has."""
        ...

    async def get(self, upload: str, name: str) -> bytes | None:
        """A piece, or `None` when it has gone."""
        ...

    async def remove(self, upload: str, names: Sequence[str]) -> None:
        """Remove pieces; those that are not there are removed too."""
        ...

    def kept(self, upload: str = "") -> AsyncIterator[tuple[str, str, float]]:
        """Upload, name and time (seconds since the epoch) of each piece, of one upload or of all, in no order."""
        ...


@runtime_checkable
class SharedStore(Protocol):
    """A store that several nodes have in common."""

    @property
    def pieces(self) -> Pieces:
        """Of uploads."""
        ...
