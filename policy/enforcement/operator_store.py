"""Standing orders: what people decided by command, whatever keeps it."""

from collections.abc import Callable
from typing import Protocol

from policy.enforcement.operator_file import OperatorFile


class OperatorStore(Protocol):
    """The orders in force, which other processes change too. Safe to use from any thread."""

    @property
    def changes(self) -> int:
        """A number that changes with what `current` tells."""
        ...

    def current(self) -> OperatorFile:
        """The orders, as they were within the last second. Raises Unavailable when that cannot be known."""
        ...

    def change(self, change: Callable[[OperatorFile], OperatorFile]) -> OperatorFile:
        """Change them durably; they count here at once. Changes of several processes happen one after the other.

        Raises:
            OperatorFileRefused: they cannot be read, or not be changed as requested.
        """
        ...
