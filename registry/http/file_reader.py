"""Files in pieces, for connections that the kernel cannot send files to."""

import asyncio
import os
from collections.abc import AsyncGenerator
from concurrent.futures import Executor

from registry.http.sendfile import Window, ends_early

PIECE = 1 << 19
"""Bytes read at once where they are in memory already."""
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
FETCHED = 1 << 20
"""Bytes a worker reads at once where they are not."""


async def read_window(window: Window, pool: Executor) -> AsyncGenerator[bytes | bytearray, None]:
    """The window in pieces: read here what the kernel has in memory, by a worker what it has to fetch.

    Raises:
        OSError: the file is gone or ends early.
    """
    loop = asyncio.get_running_loop()
    descriptor = await loop.run_in_executor(pool, os.open, window.path, _FLAGS)
    try:
        at, end = window.offset, window.offset + window.count
        while at < end:
            piece: bytes | bytearray = at_hand(descriptor, min(PIECE, end - at), at)
            if piece:
                await asyncio.sleep(0)  # others want to be served between two pieces
            else:
                piece = await loop.run_in_executor(pool, os.pread, descriptor, min(FETCHED, end - at), at)
            if not piece:
                raise ends_early(window.path, at)
            yield piece
            at += len(piece)
    finally:
        os.close(descriptor)


def at_hand(descriptor: int, count: int, at: int) -> bytearray:
    """Up to `count` bytes of a file from `at` that can be had without waiting; none when it cannot be told."""
    piece = bytearray(count)
    try:
        got = os.preadv(descriptor, [piece], at, os.RWF_NOWAIT)
    except OSError:
        return bytearray()  # not in memory, or a file system that does not say: a worker finds out
    del piece[got:]
    return piece
