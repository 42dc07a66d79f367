"""Copies of blobs that are kept elsewhere: what a running server tells them."""

from typing import Protocol, runtime_checkable


class Cache(Protocol):
    """Copies of blobs that are kept elsewhere."""

    @property
    def size(self) -> int:
        """Bytes of all copies."""
        ...

    def fit(self, maximum: int) -> None:
        """Hold so many bytes at most from now on (blocking); until this is called for the first time, none."""
        ...


@runtime_checkable
class CachingStore(Protocol):
    """A store that is elsewhere, and keeps copies of what is asked for again."""

    @property
    def cache(self) -> Cache:
        """The copies."""
        ...
