"""Times as the specifications write them: RFC 3339, UTC, whole seconds."""

from datetime import UTC, datetime


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as `2019-07-01T12:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
