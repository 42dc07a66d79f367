"""Times as text (RFC 3339), in UTC, and back."""

from datetime import UTC, datetime


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as `2019-07-01T12:00:00Z`, as the specifications write them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact_timestamp(seconds: float) -> str:
    """The same to the microsecond: what is read back is the same time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> tuple[float, bool]:
    """Seconds since the epoch of a time in ISO 8601, and whether it names its zone; without one it is in UTC.

    Raises:
        ValueError: it is no time, or one that UTC has no date for: `9999-12-31T23:59:59-23:00`.
    """
    found = datetime.fromisoformat(text)
    try:
        seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(str(error)) from None
    return seconds, found.tzinfo is not None


def zoned_seconds_of(text: str) -> float:
    """Seconds since the epoch of a time in ISO 8601 that names its zone.

    Raises:
        ValueError: as above, or it names no zone.
    """
    seconds, has_zone = seconds_of(text)
    if not has_zone:
        raise ValueError(f"{text!r} names no zone")
    return seconds
