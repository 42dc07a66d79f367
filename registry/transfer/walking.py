"""Reading blocking iterators from the event loop."""

import asyncio
from collections.abc import AsyncIterator, Iterator


async def in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of an iterator that blocks, each fetched by a worker thread."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
