"""Remarks: what a reader of a configuration has to say about it."""

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """What a remark means for the answer; the words are those of findings."""

    FAIL = "fail"  # the service would refuse the configuration
    ERROR = "error"  # the image cannot be known, so nothing can be cleared
    WARN = "warn"  # allowed, but a person should look


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence about a configuration: what was found, what is needed. Never holds a secret."""

    weight: Weight
    message: str


def fail(message: str) -> Remark:
    """The service would refuse this."""
    return Remark(Weight.FAIL, message)


def unsure(message: str) -> Remark:
    """The image cannot be known from the configuration."""
    return Remark(Weight.ERROR, message)


def warn(message: str) -> Remark:
    """Allowed, but questionable."""
    return Remark(Weight.WARN, message)
