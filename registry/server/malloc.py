"""How the C library keeps the memory that was freed: large blocks go back at once, a few MiB of small ones stay."""

import ctypes
from contextlib import suppress

# M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of mallopt(3).
_MMAP_THRESHOLD = -3
_TRIM_THRESHOLD = -1
# Above the buffers that move bytes (1 MiB), which are used again and again; below a hash's working memory (19 MiB).
_BYTES = 4 << 20
# Free memory that stays at hand: pieces of bodies under TLS come and go, and clearing new pages for each costs a tenth.
_KEPT = 8 << 20


def give_back_large_blocks() -> None:
    """Let blocks from 4 MiB on be mapped one by one, once for the process.

    The C library of GNU raises its own limit to the largest block ever freed, so that the memory in which the first
    secret was hashed, and that of each thread that hashes, would stay resident for ever. Other C libraries, which do
    not know the setting, do not need it.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _BYTES)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)
