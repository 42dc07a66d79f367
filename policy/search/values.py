"""Values of conditions: texts, versions, sizes, times and ages, read from what a person writes and compared."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

from policy.rules.versions import VersionRefused, compare_conda, plain_version

_SIZE = re.compile(r"(\d{1,15})(?:\.(\d{1,6}))?\s?([a-z]*)", re.IGNORECASE | re.ASCII)
_UNITS = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "tb": 1000**4,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "tib": 1 << 40,
}
_AGE = re.compile(r"(\d{1,6})(s|m|h|d|w)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_FORMS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")

Comparison = Callable[[str, str], int]
"""Negative, 0 or positive as the first is less than, equal to or more than the second. Raises VersionRefused."""


class ValueRefused(ValueError):
    """The text is no value of this kind; the message says what is needed."""


def bytes_of(text: str) -> int:
    """`1.5GB`, `300MiB`, `4096` as bytes."""
    match = _SIZE.fullmatch(text)
    unit = None if match is None else _UNITS.get(match[3].lower())
    if match is None or unit is None:
        raise ValueRefused("needs a size: bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB")
    return int(float(f"{match[1]}.{match[2] or 0}") * unit)


def seconds_of(text: str) -> int:
    """`90d`, `12h`, `2w` as seconds."""
    match = _AGE.fullmatch(text)
    if match is None:
        raise ValueRefused("needs an age: a number with s, m, h, d or w, such as 90d")
    return int(match[1]) * _SECONDS[match[2]]


def moment_of(text: str) -> float:
    """A day or a time in UTC, `2026-11-20` or `2026-11-20T10:00Z`, as seconds since the epoch; 0 for `never`."""
    if text == "never":
        return 0.0
    for form in _FORMS:
        try:
            return datetime.strptime(text.removesuffix("Z"), form).replace(tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            continue
    raise ValueRefused("needs a day or a time in UTC: 2026-11-20, or 2026-11-20T10:00Z")


def since(age: float, now: float | None = None) -> float:
    """The time so many seconds ago."""
    return (time.time() if now is None else now) - age


def compare_plain(first: str, second: str) -> int:
    """Versions that are numbers joined by dots, in the order of `policy.rules.versions.plain_version`."""
    one, other = plain_version(first), plain_version(second)
    return (one > other) - (one < other)


def require_version(text: str, compare: Comparison) -> str:
    """The text, where it is a version of this order."""
    try:
        compare(text, text)
    except VersionRefused as error:
        raise ValueRefused(str(error).partition(": ")[2]) from None
    return text


ORDERS: dict[str, Comparison] = {"plain": compare_plain, "conda": compare_conda}
