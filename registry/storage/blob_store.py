"""What a blob store promises, whatever holds the bytes.

A blob is visible under its digest entirely or not at all. `commit` and `put` return only when the content would
survive a power failure. Content is global to the store: which repository may show it is the metadata's affair.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from registry.oci.digest import Digest
from registry.storage.disk.quarantine import Quarantine
from registry.storage.disk.reserve import Reserve
from registry.storage.disk.trash import Trash
from registry.storage.file_stamp import Stamp, stamp_of


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """One blob at rest.

    Attributes:
        digest: its name.
        size: bytes.
        path: the file to send from, or `None` where the store has no files.
        modified: seconds since the epoch of its last commit; garbage collection's grace period counts from here.
        stamp: tells whether the file is still the one that was looked at, or `None`.
    """

    digest: Digest
    size: int
    path: Path | None
    modified: float
    stamp: Stamp | None = None

    def still_there(self) -> bool:
        """Whether its file is as it was looked at; always true where the store has no files."""
        if self.path is None:
            return True
        try:
            found = self.path.lstat()
        except OSError:
            return False
        return found.st_size == self.size if self.stamp is None else stamp_of(found) == self.stamp


@dataclass(frozen=True, slots=True)
class Opening:
    """What an upload was opened with; kept beside its bytes, so that a later process can go on with it.

    Attributes:
        repository: where the blob will be shown.
        algorithm: what the bytes are hashed with as they come: sha256 or sha512.
        principal: id of who opened it.
        started: seconds since the epoch.
    """

    repository: str
    algorithm: str
    principal: str
    started: float


class Staging(Protocol):
    """One upload in progress: append-only bytes that have no digest yet.

    `write` blocks and is called from one thread at a time; the coroutines do their blocking work elsewhere.
    """

    @property
    def opening(self) -> Opening:
        """What it was opened with."""
        ...

    @property
    def size(self) -> int:
        """Bytes held so far."""
        ...

    @property
    def path(self) -> Path:
        """Where the bytes are while they arrive, from the first one on; readable by other processes."""
        ...

    def write(self, data: bytes | memoryview) -> None:
        """Append and hash (blocking). Raises OSError when the disk refuses; nothing of `data` counts then."""
        ...

    async def append(self, pieces: Sequence[bytes]) -> None:
        """`write` in a worker thread of the store."""
        ...

    @property
    def committed(self) -> Digest | None:
        """The blob that an earlier process made of it, when that was not told any more; it takes no bytes then."""
        ...

    def last(self, digest: Digest | None) -> None:
        """What is written from now on ends the upload, whose bytes have this digest then; or it does not (`None`).

        A later process takes such bytes of a kept upload back, or finds it `committed`.
        """
        ...

    async def keep(self) -> None:
        """From now on `stage` finds these bytes in a later process as well; until then they last as long as this one.

        Costs a few files, and moves `path`.
        """
        ...

    async def truncate(self, size: int) -> None:
        """Forget the bytes behind `size`."""
        ...

    async def commit(self, digest: Digest) -> StoredBlob:
        """Make the bytes a blob, durably; idempotent when the store already holds it. `forget` it then.

        Raises:
            DigestInvalid: the bytes have another digest; nothing is stored and the staging bytes are gone.
        """
        ...

    async def forget(self) -> None:
        """The blob was recorded: a later process needs not know what became of the upload."""
        ...

    async def abort(self) -> None:
        """Forget the bytes. Safe to call twice."""
        ...

    def release(self) -> None:
        """Let go of open files until the next write; returns at once."""
        ...


class BlobStore(Protocol):
    """Where blobs are kept. At most eight methods: an object store must be able to implement them.

    Attributes:
        quarantine: where damaged content is, and is told of.
        trash: what was collected and can be brought back.
        reserve: room for what frees room.
    """

    @property
    def quarantine(self) -> Quarantine:
        """Damaged content."""
        ...

    @property
    def trash(self) -> Trash:
        """What was collected."""
        ...

    @property
    def reserve(self) -> Reserve:
        """Room that is kept."""
        ...

    async def stat(self, digest: Digest, size: int | None = None) -> StoredBlob | None:
        """The blob, or `None` when the store does not hold it.

        With the `size` in bytes that its rows tell, before it is handed out: a blob of another size, or a small one
        whose bytes do not have its digest, is set aside and not there.
        """
        ...

    async def get(self, digest: Digest, maximum: int) -> bytes | None:
        """A small blob whole, or `None` when absent or damaged. Raises ContentTooLarge past `maximum` bytes."""
        ...

    def read(self, blob: StoredBlob, start: int, length: int) -> AsyncIterator[bytes]:
        """The bytes `[start, start + length)` in pieces of at most 1 MiB. Raises BlobUnknown when it has gone."""
        ...

    async def put(self, digest: Digest, content: bytes) -> StoredBlob:
        """Store small content durably under its digest (already checked by the caller); idempotent."""
        ...

    async def stage(self, upload: str, opening: Opening | None = None) -> Staging:
        """The staging bytes of an upload id (a UUID): with an `opening` new ones, else those that were kept.

        New ones take the place of any that the id had.

        Raises:
            BlobUploadUnknown: no `opening` was given and none were kept.
        """
        ...

    def delete(self, digest: Digest, older_than: float | None = None, *, keep: bool = False) -> bool:
        """Remove the blob, if it was last committed before `older_than` (seconds since the epoch; None: anyway).

        Blocks, briefly: garbage collection calls it inside a metadata transaction. A commit or put that ends while
        this runs is never undone. With `keep`, it goes to the trash. After a power failure a removed blob may be there
        again. `False` when kept or absent.
        """
        ...

    def blobs(self) -> AsyncIterator[StoredBlob]:
        """All blobs, in no order; a blob that comes or goes meanwhile may or may not be listed."""
        ...

    def uploads(self) -> AsyncIterator[tuple[str, float]]:
        """All staged upload ids, kept or left behind, with the time of their last byte (seconds since the epoch)."""
        ...
