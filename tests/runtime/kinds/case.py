"""A row of a table: an image and, where it is known beforehand, what basegate must say of it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.runtime.images import Image
from tests.runtime.ruling import CLEARED, INCONCLUSIVE, NOT_APPLICABLE, NOT_TAKEN, REFUSED


@dataclass(frozen=True)
class Case:
    """One image.

    Attributes:
        name: what is odd about it.
        build: makes it.
        states: what basegate may say; empty for anything that the runtimes do not contradict.
    """

    name: str
    build: Callable[[], Image]
    states: tuple[str, ...] = ()


def judged(name: str, build: Callable[[], Image]) -> Case:
    """Whatever basegate says, the runtimes must not contradict it."""
    return Case(name, build)


def cleared(name: str, build: Callable[[], Image]) -> Case:
    """Nothing is wrong with it, and it must stay usable."""
    return Case(name, build, (CLEARED,))


def refused(name: str, build: Callable[[], Image]) -> Case:
    """Every runtime shows the same, and it does not pass."""
    return Case(name, build, (REFUSED,))


def unclear(name: str, build: Callable[[], Image]) -> Case:
    """Runtimes differ, or only the runtime knows."""
    return Case(name, build, (INCONCLUSIVE,))


def withheld(name: str, build: Callable[[], Image]) -> Case:
    """It must not be cleared; whether it is understood is left open."""
    return Case(name, build, (REFUSED, INCONCLUSIVE))


def not_cleared(name: str, build: Callable[[], Image]) -> Case:
    """A refused image in some disguise: it is seen through, unclear or not taken."""
    return Case(name, build, (REFUSED, INCONCLUSIVE, NOT_TAKEN))


def artifact(name: str, build: Callable[[], Image]) -> Case:
    """No runtime starts it, and whoever may pull gets it."""
    return Case(name, build, (NOT_APPLICABLE,))
