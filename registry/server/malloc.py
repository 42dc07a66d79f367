"""The C library's allocator: freed large blocks are returned at once, small ones now and then but for a few MiB."""

import asyncio
import ctypes
from contextlib import suppress

# M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_ARENA_MAX of mallopt(3).
_MMAP_THRESHOLD = -3
_TRIM_THRESHOLD = -1
_ARENA_MAX = -8
# Above the I/O buffers (1 MiB), which are reused; below the working memory of a hash (19 MiB).
_BYTES = 4 << 20
# Free memory to keep: buffers of bodies under TLS are allocated often; new zeroed pages for each cost 10 %.
_KEPT = 8 << 20
# Each thread would get an arena of its own, and keep there what it has freed: rows that it has read, pages of SQLite.
_ARENAS = 2
_ROUND_SECONDS = 20.0


def give_back_large_blocks() -> None:
    """Allocate blocks of 4 MiB and more by mmap, for the whole process.

    glibc raises its own threshold to the largest block ever freed, so that the working memory of each hashing thread
    would stay resident for ever. Other C libraries lack the setting and do not need it.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _BYTES)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)
        library.mallopt(_ARENA_MAX, _ARENAS)


async def give_back_free_blocks() -> None:
    """Return what is free between blocks in use, every `_ROUND_SECONDS` until cancelled: glibc does so when asked to.

    A walk through the store leaves some MiB there, in pages that nobody touches for hours.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        await asyncio.sleep(_ROUND_SECONDS)
        await asyncio.to_thread(trim, 0)
