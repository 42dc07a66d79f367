"""A whole blob from a store that may be wrong: whoever reads it gets all of its bytes, or notices."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import structlog

from registry.oci.digest import Digest, Hasher, new_hasher
from registry.storage.disk.blob_cache import GrowingCopy
from registry.storage.objects.bucket import unavailable
from registry.storage.objects.locations import Location

Run = Callable[[Callable[[], None]], Awaitable[None]]
"""Does blocking work elsewhere."""


async def whole_or_nothing(
    pieces: AsyncIterator[bytes], location: Location, run: Run, copy: GrowingCopy | None = None
) -> AsyncIterator[bytes]:
    """The pieces; the last one only when all of them have the digest.

    `copy`: is given them too, and left at the end.

    Raises:
        Unavailable: they have not.
    """
    hasher, last, start = new_hasher(location.digest.algorithm), b"", 0
    try:
        async for piece in pieces:
            await run(partial(_take, start, piece, hasher, copy))
            if last:
                yield last
            last = piece
            start += len(piece)
        _require_digest(hasher, location.digest)
    finally:
        if copy is not None:
            await run(copy.leave)
    yield last


def _require_digest(hasher: Hasher, digest: Digest) -> None:
    if hasher.hexdigest() != digest.encoded:
        structlog.get_logger(__name__).error("the object store sent bytes of another digest", digest=digest)
        raise unavailable("the object store sent bytes that do not have the digest")


def _take(start: int, piece: bytes, hasher: Hasher, copy: GrowingCopy | None) -> None:
    hasher.update(piece)
    if copy is not None:
        copy.write(start, piece, hasher)
