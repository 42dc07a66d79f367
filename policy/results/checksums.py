"""Sums over rows: SQLite has none of its own, and a flipped bit must never become a verdict."""

import zlib


class RowDamaged(ValueError):
    """A row does not say what was written."""


def sum_of(*parts: object) -> int:
    """CRC-32 over the parts of a row."""
    return zlib.crc32("\0".join(map(str, parts)).encode())


def require_sum(found: int, *parts: object) -> None:
    """Raise RowDamaged unless the row has the sum that it was written with."""
    if found != sum_of(*parts):
        raise RowDamaged("a row of policy.db does not say what was written")
