"""Files in pieces, for connections that the kernel cannot send files to."""

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import Executor

from registry.server.sending import Window, ends_early

PIECE = 1 << 18
"""Bytes read at once."""


async def read_window(window: Window, pool: Executor) -> AsyncIterator[bytes]:
    """The window in pieces. Raises OSError when the file is gone or ends early."""
    loop = asyncio.get_running_loop()
    descriptor = await loop.run_in_executor(pool, os.open, window.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        at, end = window.offset, window.offset + window.count
        while at < end:
            piece = await loop.run_in_executor(pool, os.pread, descriptor, min(PIECE, end - at), at)
            if not piece:
                raise ends_early(window.path, at)
            yield piece
            at += len(piece)
    finally:
        os.close(descriptor)
