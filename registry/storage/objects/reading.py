"""A whole blob from a store that may be wrong: whoever reads it gets all of its bytes, or notices."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import structlog

from registry.oci.digest import new_hasher
from registry.storage.objects.bucket import unavailable
from registry.storage.objects.locations import Location

Run = Callable[[Callable[[], None]], Awaitable[None]]
"""Does blocking work elsewhere."""


async def whole_or_nothing(pieces: AsyncIterator[bytes], location: Location, run: Run) -> AsyncIterator[bytes]:
    """The pieces; the last one only when all of them have the digest.

    Raises:
        Unavailable: they have not.
    """
    hasher, last = new_hasher(location.digest.algorithm), b""
    async for piece in pieces:
        await run(partial(hasher.update, piece))
        if last:
            yield last
        last = piece
    if hasher.hexdigest() != location.digest.encoded:
        structlog.get_logger(__name__).error("the object store sent bytes of another digest", digest=location.digest)
        raise unavailable("the object store sent bytes that do not have the digest")
    yield last
