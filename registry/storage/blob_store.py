"""What a blob store promises, whatever holds the bytes.

A blob is visible under its digest entirely or not at all. `commit` and `put` return only when the content would
survive a power failure. Content is global to the store: which repository may show it is the metadata's affair.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from registry.oci.digest import Digest
from registry.storage.file_stamp import Stamp


class OpenedBlob(NamedTuple):
    """A blob's bytes behind a file descriptor, which any process can read.

    Attributes:
        descriptor: of a file, at its beginning.
        stamp: of what was opened.
        discard: for a copy: to be called where its bytes do not have the digest, and `open` gives others then (blocks,
            briefly).
    """

    descriptor: int
    stamp: Stamp
    discard: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class StoredBlob(ABC):
    """One blob at rest.

    Attributes:
        digest: its name.
        size: bytes.
        path: a file that a server may send as it is. `None` where the store has none, which says nothing else.
        modified: seconds since the epoch of its last commit; garbage collection's grace period counts from here.
        stamp: tells whether the content is still the one that was looked at, or `None`.
    """

    digest: Digest
    size: int
    path: Path | None
    modified: float
    stamp: Stamp | None = None

    @property
    def path_stamp(self) -> Stamp | None:
        """Tells whether the file at `path` is still the same."""
        return self.stamp

    @property
    def is_copied(self) -> bool:
        """Whether the file at `path` is a copy, which may go at any time: `BlobStore.read` has the bytes then."""
        return False

    def used(self) -> None:  # noqa: B027  only copies need to know
        """It is sent once more, from its path."""

    @abstractmethod
    def still_there(self) -> bool:
        """Whether the store holds it as it was looked at (blocking, briefly)."""

    @abstractmethod
    def open(self) -> OpenedBlob:
        """Its bytes as a whole file, from the first one on; the caller closes the descriptor (blocking).

        Raises:
            OSError: it cannot be read; FileNotFoundError: it has gone.
        """


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


class StagedBytes(Protocol):
    """Bytes of an upload in progress, as far as they have come: what whoever follows it may look at."""

    @property
    def size(self) -> int:
        """Bytes held so far."""
        ...

    @property
    def path(self) -> Path | None:
        """The file that they are in, from the first byte on, for other processes to read; `None` without files."""
        ...

    def read_at(self, start: int, length: int) -> bytes:
        """The bytes `[start, start + length)`, as far as they are here (blocking). Raises OSError."""
        ...


class Staging(StagedBytes, Protocol):
    """One upload in progress: append-only bytes that have no digest yet.

    `write` blocks and is called from one thread at a time; the coroutines do their blocking work elsewhere.
    """

    @property
    def opening(self) -> Opening:
        """What it was opened with."""
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


@dataclass(frozen=True, slots=True)
class Damaged:
    """One piece of damaged content.

    Attributes:
        digest: what its bytes should have been.
        is_manifest: whether its bytes are kept with the rows, and not in the store.
    """

    digest: Digest
    is_manifest: bool


class Quarantine(Protocol):
    """Damaged content: never served again, healed by a push of the same content. All methods block, briefly.

    Attributes:
        found: how often this process found something damaged.
    """

    found: int

    def generation(self) -> int:
        """Changes when anything becomes damaged or is healed: here at once, elsewhere within a tenth of a second."""
        ...

    def withheld(self) -> frozenset[Digest]:
        """Blobs that are damaged or missing."""
        ...

    def set_aside(self, digest: Digest, seen: Stamp, reason: str) -> bool:
        """Take damaged bytes out of the store, unless others have their name by now; whether it was done.

        Args:
            digest: the blob.
            seen: the stamp of what was found to be damaged.
            reason: what is wrong with it, as the end of a sentence.
        """
        ...

    def note_manifest(self, digest: Digest, content: bytes, reason: str) -> None:
        """Keep a copy of a manifest's damaged bytes, and tell of it the first time."""
        ...

    def note_missing(self, digest: Digest) -> bool:
        """A blob that should be there is not; whether that is news."""
        ...

    def manifest_is_whole(self, digest: Digest) -> None:
        """A manifest was pushed, or put right: it is no longer damaged if it was."""
        ...

    def held(self) -> list[Damaged]:
        """What is damaged now; blobs that were pushed again since are forgotten."""
        ...

    def forget(self, item: Damaged) -> None:
        """Nobody needs it any more."""
        ...


class Trash(Protocol):
    """Blobs that were collected, for as long as that can be undone. All methods block."""

    def recover(self, digest: Digest) -> bool:
        """Bring a blob back, young, if it is here and sound."""
        ...

    def empty(self, before: float) -> int:
        """Remove what came here before a time (seconds since the epoch); returns how many blobs."""
        ...

    def kept(self) -> Iterator[Digest]:
        """The blobs that are here, each once."""
        ...

    def read(self, digest: Digest) -> Iterator[bytes]:
        """The bytes of one, whatever they are, in pieces of some MiB at most. Raises FileNotFoundError."""
        ...


class Reserve(Protocol):
    """Room that is kept for what frees room. While it is given up, no content is taken. All methods block, briefly."""

    @property
    def given_up(self) -> bool:
        """Whether it was, and is not made again yet."""
        ...

    def is_short(self) -> bool:
        """Whether so little room is left that what is removed must give its own at once."""
        ...

    def require(self) -> None:
        """Raise StorageFull while it is given up."""
        ...

    def want(self, size: int) -> None:
        """Keep so many bytes from the next `keep` on."""
        ...

    def keep(self) -> bool:
        """Have it, if there is room; whether it is there. Raises OSError."""
        ...

    def give_up(self, *, start: bool = False) -> bool:
        """Let go of it, for something that frees room; whether there was any. With `start`, of the last part too."""
        ...

    def free(self) -> int:
        """Bytes that are free. Raises OSError."""
        ...

    def problems(self) -> list[str]:
        """One sentence when no room is left."""
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


@runtime_checkable
class LinkingStore(Protocol):
    """A store that clients can read from by themselves."""

    async def link(self, blob: StoredBlob, seconds: float) -> str | None:
        """A URL that gives the blob's bytes to whoever has it, for so long; `None` where there is none."""
        ...


@runtime_checkable
class MaintainedStore(BlobStore, Protocol):
    """A store whose content can be scrubbed, verified and brought back. What it adds blocks."""

    def digests(self, after: str) -> Iterator[Digest]:
        """The blobs whose digests are greater than `after`, in the order of their digests; "": all."""
        ...

    def holds(self, digest: Digest) -> bool:
        """Whether there are bytes for the blob, whatever they are."""
        ...

    def size_of(self, digest: Digest) -> int | None:
        """How many bytes there are for the blob, or `None`."""
        ...

    def read_whole(self, digest: Digest) -> bytes | None:
        """The bytes of a small blob that has its digest; any other is set aside."""
        ...

    def scrub(self, digest: Digest, pace: Callable[[int], None]) -> tuple[int, bool]:
        """Read a blob again, from where it is kept; bytes that do not have its digest are set aside.

        Returns the bytes that were read, and whether they are sound; a blob that has gone is.
        """
        ...
