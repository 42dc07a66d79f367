"""What PostgreSQL's refusals mean to a caller (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""

import psycopg
from psycopg import errors

from registry.oci.errors import StorageFull, Unavailable

RETRY = {"Retry-After": "1"}
_PASSING = (
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.IdleInTransactionSessionTimeout,
)


def refusal(error: BaseException | None) -> Exception | None:
    """The OCI error for an error of the driver; `None` when the statement itself was at fault."""
    if isinstance(error, errors.DiskFull):
        return StorageFull("the disk that holds the registry's metadata is full: nothing was changed, free some space")
    if isinstance(error, _PASSING):
        return Unavailable("the database of the registry's metadata is busy: try again", headers=RETRY)
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return Unavailable(
            "the database of the registry's metadata is read-only: is it a replica? Name the server that takes "
            "changes in metadata.url, with target_session_attrs=read-write where there are several",
            headers=RETRY,
        )
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Unavailable(f"the database of the registry's metadata is away ({_first_line(error)})", headers=RETRY)
    return None


def reason_on_one_line(error: BaseException) -> str:
    """What the driver said, also where SQLAlchemy has wrapped it."""
    return str(getattr(error, "orig", error)).strip().rstrip(".").replace("\n", "; ")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
