"""Reads files in pieces, for connections without sendfile."""

import asyncio
import os
from collections.abc import AsyncGenerator
from concurrent.futures import Executor

from registry.http.sendfile import Window, ends_early

PIECE = 1 << 19
"""Bytes read at once from the page cache."""
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
FETCHED = 1 << 20
"""Bytes that a worker reads at once from the disk."""


async def read_window(window: Window, pool: Executor) -> AsyncGenerator[bytes | bytearray, None]:
    """The window in pieces, read here from the page cache, or by a worker from the disk.

    Raises:
        OSError: the file is gone or ends early.
    """
    loop = asyncio.get_running_loop()
    descriptor = await loop.run_in_executor(pool, os.open, window.path, _FLAGS)
    try:
        position, end = window.offset, window.offset + window.count
        while position < end:
            piece: bytes | bytearray = read_cached(descriptor, min(PIECE, end - position), position)
            if piece:
                await asyncio.sleep(0)  # serve others between two pieces
            else:
                piece = await loop.run_in_executor(pool, os.pread, descriptor, min(FETCHED, end - position), position)
            if not piece:
                raise ends_early(window.path, position)
            yield piece
            position += len(piece)
    finally:
        os.close(descriptor)


def read_cached(descriptor: int, count: int, offset: int) -> bytearray:
    """Up to `count` bytes of a file from `offset` that can be read without waiting; none when that is unknown."""
    piece = bytearray(count)
    try:
        count_read = os.preadv(descriptor, [piece], offset, os.RWF_NOWAIT)
    except OSError:
        return bytearray()  # not in the page cache, or not supported by the file system: a worker reads it
    del piece[count_read:]
    return piece
