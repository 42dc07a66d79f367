"""What a database's refusal means to a caller."""

import sqlite3
from errno import EDQUOT, ENOSPC

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from registry.oci.errors import StorageFull, Unavailable

_FULL = {sqlite3.SQLITE_FULL}
_BROKEN = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
RETRY_SECONDS = "5"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def is_full(error: BaseException) -> bool:
    """Whether something failed for want of room on the disk, as far as can be told."""
    origin = getattr(error, "orig", None) or error
    if isinstance(origin, sqlite3.Error):
        return getattr(origin, "sqlite_errorcode", 0) & 0xFF in _FULL | _BROKEN
    return isinstance(origin, StorageFull) or (isinstance(origin, OSError) and origin.errno in {ENOSPC, EDQUOT})


class MetadataDamaged(Unavailable):
    """SQLite finds the database to be damaged (503)."""


def _of_pool(error: Exception) -> Exception | None:
    if not isinstance(error, PoolTimeout):
        return None
    busy = "all connections to the database of the registry's metadata are in use: try again"
    return Unavailable(busy, headers={"Retry-After": "1"})


def _of_postgres(origin: BaseException | None) -> Exception | None:
    if not type(origin).__module__.startswith("psycopg"):
        return None
    from registry.database.postgres_errors import refusal  # noqa: PLC0415 - the driver is an extra

    return refusal(origin)


def as_oci_error(error: Exception) -> Exception:
    """The OCI error that says what is wrong with the disk or database; any other error as it is."""
    origin = getattr(error, "orig", None) if isinstance(error, DBAPIError) else error
    if not isinstance(origin, sqlite3.Error):
        return _of_pool(error) or _of_postgres(origin) or error
    primary = getattr(origin, "sqlite_errorcode", 0) & 0xFF
    if primary in _FULL:
        return StorageFull("the disk that holds the registry's metadata is full: nothing was changed, free some space")
    if primary in _BUSY:
        return Unavailable(
            "the registry's metadata is locked by another process: try again", headers={"Retry-After": RETRY_SECONDS}
        )
    if primary in _DAMAGED:
        return MetadataDamaged(f"the registry's metadata is damaged ({origin}): nothing was changed")
    if primary in _BROKEN:
        return Unavailable(f"the registry's metadata cannot be reached ({origin}): nothing was changed")
    return error
