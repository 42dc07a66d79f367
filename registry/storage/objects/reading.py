"""A whole blob from a store that may be wrong: whoever reads it gets all of its bytes, or notices."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import structlog

from registry.oci.digest import Hasher, new_hasher
from registry.storage.disk.blob_cache import GrowingCopy
from registry.storage.objects.bucket import unavailable
from registry.storage.objects.locations import Location

Run = Callable[[Callable[[], None]], Awaitable[None]]
"""Does blocking work elsewhere."""


async def whole_or_nothing(
    pieces: AsyncIterator[bytes], location: Location, run: Run, copy: GrowingCopy | None = None
) -> AsyncIterator[bytes]:
    """The pieces; the last one only when all of them have the digest.

    `copy`: is given them too, and what became of them.

    Raises:
        Unavailable: they have not.
    """
    hasher, last = new_hasher(location.digest.algorithm), b""
    try:
        async for piece in pieces:
            await run(partial(_take, piece, hasher, copy))
            if last:
                yield last
            last = piece
        if hasher.hexdigest() != location.digest.encoded:
            log = structlog.get_logger(__name__)
            log.error("the object store sent bytes of another digest", digest=location.digest)
            raise unavailable("the object store sent bytes that do not have the digest")
        if copy is not None:
            await run(partial(copy.end, whole=True))
    finally:
        if copy is not None:
            copy.end(whole=False)
    yield last


def _take(piece: bytes, hasher: Hasher, copy: GrowingCopy | None) -> None:
    hasher.update(piece)
    if copy is not None:
        copy.write(piece)
