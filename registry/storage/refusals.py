"""What a disk's refusal means to a caller."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from registry.oci.errors import StorageFull, Unavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def as_oci_error(error: OSError) -> Unavailable:
    """The OCI error that says what is wrong with the disk; the path stays in the log, not in the answer."""
    if error.errno in _FULL:
        return StorageFull()
    return Unavailable(f"the disk that holds the registry refused ({error.strerror}): nothing was stored, try again")


@contextmanager
def disk_refusals() -> Iterator[None]:
    """Raise the OCI error in the place of an OSError."""
    try:
        yield
    except OSError as error:
        raise as_oci_error(error) from error
