"""What a disk's refusal means to a caller."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from registry.oci.errors import BlobUnknown, StorageFull, Unavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def as_oci_error(error: OSError) -> Unavailable:
    """The OCI error that says what is wrong with the disk; the path stays in the log, not in the answer."""
    if error.errno in _FULL:
        return StorageFull()
    return Unavailable(f"the disk that holds the registry refused ({error.strerror}): nothing was stored, try again")


def as_read_error(error: OSError) -> BlobUnknown | Unavailable:
    """The OCI error for content that is there and cannot be read now; one that has gone is unknown."""
    if isinstance(error, FileNotFoundError):
        return BlobUnknown()
    reason = error.strerror or "not what it should be"
    return Unavailable(f"the content cannot be read now ({reason}): try again", headers={"Retry-After": "1"})


@contextmanager
def read_refusals() -> Iterator[None]:
    """Raise the OCI error in the place of an OSError of reading."""
    try:
        yield
    except OSError as error:
        raise as_read_error(error) from error


@contextmanager
def disk_refusals() -> Iterator[None]:
    """Raise the OCI error in the place of an OSError."""
    try:
        yield
    except OSError as error:
        raise as_oci_error(error) from error
