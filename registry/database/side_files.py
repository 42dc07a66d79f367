"""The shared memory of a write-ahead log (`…-shm`): every block of it allocated, so that a full disk cannot kill us.

SQLite maps it into memory, and writes one byte of each 4 KiB first, so that a page without a block is an error and not
a SIGBUS. Where blocks are smaller than that, as on ext4 file systems of some MiB, the rest of a page may have none.
"""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_PAGE = 4096
_ALLOCATE = "import os, sys; d = os.open(sys.argv[1], os.O_RDWR); os.posix_fallocate(d, 0, os.fstat(d).st_size)"


def allocate_side_file(database: Path) -> None:
    """Allocate the shared memory of an open database (blocking); nothing to do where blocks are large enough.

    Another process does it: closing a descriptor of the file would let go of the locks that SQLite holds on it in this
    one (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    side_file = f"{database}-shm"
    with suppress(OSError):
        if os.statvfs(database).f_frsize < _PAGE and Path(side_file).exists():
            subprocess.run([sys.executable, "-I", "-S", "-c", _ALLOCATE, side_file], check=False, capture_output=True)  # noqa: S603
