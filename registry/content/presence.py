"""Whether content is really there: its file, with as many bytes as its row says."""

import asyncio
from collections.abc import Iterable, Mapping

from registry.metadata import blobs
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore, StoredBlob

_TURN = 100
"""Files that are looked at before others get their turn."""


async def whole_blob(storage: BlobStore, digest: Digest, size: int) -> StoredBlob | None:
    """The blob, to be handed out; `None` when its bytes are gone or damaged, so that nothing may rely on it."""
    return await storage.stat(digest, size)


async def tell_missing(
    storage: BlobStore, metadata: MetadataStore, repository: RepositoryName, digests: Iterable[Digest]
) -> None:
    """Have it known of content without a file that it is missing, unless its row has gone as well by now."""
    for digest in digests:
        shown = await metadata.read(blobs.size_of, repository, digest) is not None
        if shown and await storage.stat(digest) is None:
            storage.quarantine.note_missing(digest)


async def missing_among(storage: BlobStore, sizes: Mapping[Digest, int]) -> list[Digest]:
    """Those of some content, given with its sizes in bytes, that are not there whole."""
    missing = []
    for number, (digest, size) in enumerate(sizes.items(), 1):
        # Only lengths: most of this was pushed a moment ago, and is read when it is handed out.
        blob = await storage.stat(digest)
        if blob is None or (blob.size != size and await whole_blob(storage, digest, size) is None):
            missing.append(digest)
        if number % _TURN == 0:
            await asyncio.sleep(0)
    return missing
