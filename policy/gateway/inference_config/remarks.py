"""Remarks on a configuration."""

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """The weight of a remark in the result; the words are those of findings."""

    FAIL = "fail"  # the service would refuse the configuration
    ERROR = "error"  # the image is unknown, so nothing can be cleared
    WARN = "warn"  # allowed, but a person should check


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence about a configuration: what was found, what is needed. Never holds a secret.

    Attributes:
        unset: no image is named, so the service would use its own.
    """

    weight: Weight
    message: str
    unset: bool = False


def fail(message: str) -> Remark:
    """The service would refuse this."""
    return Remark(Weight.FAIL, message)


def unsure(message: str) -> Remark:
    """The configuration does not determine the image."""
    return Remark(Weight.ERROR, message)


def unset(missing: str) -> Remark:
    """No image is named; the message begins with `missing`."""
    return Remark(Weight.ERROR, f"{missing}: the service's own default image would be used", unset=True)


def warn(message: str) -> Remark:
    """Allowed, but questionable."""
    return Remark(Weight.WARN, message)
