"""Checksums of rows: SQLite has none, and a flipped bit must never become a verdict."""

import zlib


class RowDamaged(ValueError):
    """A row does not match its checksum."""


def sum_of(*parts: object) -> int:
    """CRC-32 of the parts of a row."""
    return zlib.crc32("\0".join(map(str, parts)).encode())


def require_sum(stored: int, *parts: object) -> None:
    """Raise RowDamaged unless the stored checksum is that of the row's parts."""
    if stored != sum_of(*parts):
        raise RowDamaged("a row of the results does not match its checksum")
