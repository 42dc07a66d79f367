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
        _require_digest(hasher, location.digest)
        if copy is not None:
            await run(partial(copy.end, whole=True))
    except BaseException:
        if copy is not None:
            await run(partial(copy.end, whole=False))
        raise
    yield last


def _require_digest(hasher: Hasher, digest: Digest) -> None:
    if hasher.hexdigest() != digest.encoded:
        structlog.get_logger(__name__).error("the object store sent bytes of another digest", digest=digest)
        raise unavailable("the object store sent bytes that do not have the digest")


def _take(piece: bytes, hasher: Hasher, copy: GrowingCopy | None) -> None:
    hasher.update(piece)
    if copy is not None:
        copy.write(piece)
