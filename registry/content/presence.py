"""Whether content is present: its file exists and has the size that its row says."""

import asyncio
from collections.abc import Iterable, Mapping

from registry.metadata import blobs
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore, StoredBlob

_TURN = 100
"""Files checked before the event loop gets a turn."""


async def whole_blob(storage: BlobStore, digest: Digest, size: int) -> StoredBlob | None:
    """The blob, or `None` when its bytes are missing or damaged."""
    return await storage.stat(digest, size)


async def tell_missing(
    storage: BlobStore, metadata: MetadataStore, repository: RepositoryName, digests: Iterable[Digest]
) -> None:
    """Record content without a file as missing, unless its row has been removed too."""
    for digest in digests:
        shown = await metadata.read(blobs.size_of, repository, digest) is not None
        if shown and await storage.stat(digest) is None:
            storage.quarantine.note_missing(digest)


async def missing_among(storage: BlobStore, sizes: Mapping[Digest, int]) -> list[Digest]:
    """The digests whose content is missing or damaged; `sizes` in bytes."""
    missing = []
    for number, (digest, size) in enumerate(sizes.items(), 1):
        # Sizes only: most of this was just pushed, and reads verify the bytes.
        blob = await storage.stat(digest)
        if blob is None or (blob.size != size and await whole_blob(storage, digest, size) is None):
            missing.append(digest)
        if number % _TURN == 0:
            await asyncio.sleep(0)
    return missing
