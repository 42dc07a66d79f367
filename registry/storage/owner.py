"""Whose blobs a store has, where several registries could be given the same one by mistake."""

from typing import Protocol, runtime_checkable


class PrefixOwner(Protocol):
    """All of it blocks, and raises Unavailable when the store is away."""

    def store(self) -> str:
        """The id of the registry's store that has been named; "" where none has been."""
        ...

    def name(self, store: str) -> None:
        """Name a registry's store, in the place of any before."""
        ...


@runtime_checkable
class OwnedStore(Protocol):
    """A store of blobs that is told whose it is."""

    @property
    def owner(self) -> PrefixOwner:
        """The registry that has it."""
        ...
