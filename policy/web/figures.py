"""Figures and times as pages write them."""

import re
from datetime import UTC, datetime

_THIN = "\u202f"
_UNITS = ("kB", "MB", "GB", "TB", "PB")


def number(value: int) -> str:
    """A whole number, its digits in threes."""
    return f"{value:,}".replace(",", _THIN)


def size(value: int) -> str:
    """Bytes in powers of a thousand, with one decimal."""
    amount = float(value)
    if amount < 1000:
        return f"{value}{_THIN}B"
    unit = ""
    for unit in _UNITS:  # noqa: B007  the last one is what it is called
        amount /= 1000
        if amount < 999.95:
            break
    return f"{amount:.1f}{_THIN}{unit}"


def share(part: int, whole: int) -> float:
    """A part in per cent."""
    return 100 * part / whole if whole else 0.0


def hours(seconds: float) -> str:
    """A length of time in hours, or in minutes where it is short."""
    if seconds < 3600:
        return f"{seconds / 60:g} minutes"
    return f"{round(seconds / 3600, 1):g} hours"


def moment(seconds: float) -> str:
    """A time in UTC: `2026-11-28 14:02`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def moment_exact(seconds: float) -> str:
    """A time in UTC with its seconds: `2026-11-28 14:02:46`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def anchor(text: str) -> str:
    """A text as the id of a place on a page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def capital(text: str) -> str:
    """A sentence with a capital at its beginning; a path, a platform or a name there stays what it is."""
    first = text.partition(" ")[0].rstrip(".,;:")
    return text[:1].upper() + text[1:] if first.isalpha() else text
