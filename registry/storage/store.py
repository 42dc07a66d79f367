"""What a blob store promises, whatever holds the bytes.

A blob is visible under its digest entirely or not at all. `commit` and `put` return only when the content would
survive a power failure. Content is global to the store: which repository may show it is the metadata's affair.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from registry.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """One blob at rest.

    Attributes:
        digest: its name.
        size: bytes.
        path: the file to send from, or `None` where the store has no files.
        modified: seconds since the epoch of its last commit; garbage collection's grace period counts from here.
    """

    digest: Digest
    size: int
    path: Path | None
    modified: float


class Staging(Protocol):
    """One upload in progress: append-only bytes that have no digest yet.

    `write` blocks and is called from one worker thread at a time; the others are coroutines.
    """

    @property
    def size(self) -> int:
        """Bytes held so far."""
        ...

    @property
    def path(self) -> Path:
        """Where the bytes are while they arrive; readable by other processes."""
        ...

    def write(self, data: bytes | memoryview) -> None:
        """Append and hash (blocking). Raises OSError when the disk refuses; nothing of `data` counts then."""
        ...

    async def commit(self, digest: Digest) -> StoredBlob:
        """Make the bytes a blob, durably; idempotent when the store already holds it.

        Raises:
            DigestInvalid: the bytes have another digest; nothing is stored and the staging bytes are gone.
        """
        ...

    async def abort(self) -> None:
        """Forget the bytes. Safe to call twice."""
        ...


class BlobStore(Protocol):
    """Where blobs are kept. At most eight methods: an object store must be able to implement them."""

    async def stat(self, digest: Digest) -> StoredBlob | None:
        """The blob, or `None` when the store does not hold it."""
        ...

    async def get(self, digest: Digest, maximum: int) -> bytes | None:
        """A small blob whole, or `None` when absent. Raises ContentTooLarge past `maximum` bytes."""
        ...

    def read(self, blob: StoredBlob, start: int, length: int) -> AsyncIterator[bytes]:
        """The bytes `[start, start + length)` in pieces of at most 1 MiB."""
        ...

    async def put(self, digest: Digest, content: bytes) -> StoredBlob:
        """Store small content durably under its digest (already checked by the caller); idempotent."""
        ...

    async def stage(self, upload: str, algorithm: str) -> Staging:
        """Open the staging bytes of an upload id, those of an earlier process included."""
        ...

    async def delete(self, digest: Digest) -> bool:
        """Remove the blob durably; `False` when there was none."""
        ...

    def blobs(self) -> AsyncIterator[StoredBlob]:
        """All blobs, in no order; a blob that comes or goes meanwhile may or may not be listed."""
        ...

    def uploads(self) -> AsyncIterator[tuple[str, float]]:
        """All staged upload ids with the time of their last byte (seconds since the epoch)."""
        ...
