"""Times as text (RFC 3339)."""

from datetime import UTC, datetime


def moment(time: float) -> str:
    """A time (seconds since the epoch) to the microsecond, in UTC: what is read back is the same time."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
