"""Settings of the C library's allocator: freed large blocks are returned at once, a few MiB of small ones are kept."""

import ctypes
from contextlib import suppress

# M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of mallopt(3).
_MMAP_THRESHOLD = -3
_TRIM_THRESHOLD = -1
# Above the I/O buffers (1 MiB), which are reused; below the working memory of a hash (19 MiB).
_BYTES = 4 << 20
# Free memory to keep: buffers of bodies under TLS are allocated often; new zeroed pages for each cost 10 %.
_KEPT = 8 << 20


def give_back_large_blocks() -> None:
    """Allocate blocks of 4 MiB and more by mmap, for the whole process.

    glibc raises its own threshold to the largest block ever freed, so that the working memory of each hashing thread
    would stay resident for ever. Other C libraries lack the setting and do not need it.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _BYTES)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)
