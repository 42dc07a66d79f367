"""Who removes files and who copies them keep out of each other's way: one lock for each data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = "collecting.lock"


@contextmanager
def nothing_removed(data: Path) -> Iterator[None]:
    """No collection removes a file until the block ends; waits for one that is under way. Several may hold this."""
    with _held(data, fcntl.LOCK_SH):
        yield


@contextmanager
def removing(data: Path) -> Iterator[bool]:
    """Whether files may be removed now: not while somebody copies them."""
    descriptor = _opened(data)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


@contextmanager
def _held(data: Path, how: int) -> Iterator[None]:
    descriptor = _opened(data)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _opened(data: Path) -> int:
    return os.open(data / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
