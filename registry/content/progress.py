"""How long work says how far it has come."""

from collections.abc import Callable

Tell = Callable[[str, int, int], None]
"""Told how far work has come: what is being counted, how many are done, and of how many (0: not known)."""


def silence(_what: str, _done: int, _total: int) -> None:
    """Nobody wants to know."""
