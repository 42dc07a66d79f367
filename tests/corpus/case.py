"""A row of the corpus: an image, what is so about it, and what the default policy must say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from policy.inspection.budgets import Budgets
from tests.corpus.builders import Image, Layer, image
from tests.corpus.systems import miniconda, ubuntu
from tests.corpus.tarballs import Entry

CLEARED = "cleared"
REFUSED = "refused"
INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Case:
    """One image.

    Attributes:
        name: what is odd about it.
        build: makes it.
        verdict: under azureml-2019-07.
        os: judged system, `ubuntu 16.04`; `None` when no fact is expected, "" not to look.
        conda: judged versions in order, "?" for one that could not be read.
        python: the same.
        says: words that a reason must contain.
        budgets: other than the defaults.
    """

    name: str
    build: Callable[[], Image]
    verdict: str
    os: str | None = "ubuntu 16.04"
    conda: Sequence[str] = ("4.5.12",)
    python: Sequence[str] = ("3.6.8",)
    says: str = ""
    budgets: Budgets | None = None


def cleared(name: str, build: Callable[[], Image], **facts: object) -> Case:
    """An image that passes; by default the good image's facts."""
    return Case(name, build, CLEARED, **facts)  # type: ignore[arg-type]


def refused(name: str, build: Callable[[], Image], **facts: object) -> Case:
    """An image that can be read and does not pass."""
    return Case(name, build, REFUSED, **facts)  # type: ignore[arg-type]


def unclear(name: str, build: Callable[[], Image], says: str = "", budgets: Budgets | None = None) -> Case:
    """An image of which something cannot be told."""
    return Case(name, build, INCONCLUSIVE, None, (), (), says, budgets)


def good() -> list[Entry]:
    """The entries of an image that passes."""
    return [*ubuntu(), *miniconda()]


def with_layers(*more: Layer | Sequence[Entry], path: str | None = "/opt/miniconda/bin:/usr/bin:/bin") -> Image:
    """A good image with layers on top."""
    return image(good(), *more, path=path)
