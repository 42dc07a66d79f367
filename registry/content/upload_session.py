"""One upload session, the sink for its bytes, and writing a request's body into it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from registry.content.upload_claim import Claim
from registry.gate import Arrival
from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown, RangeNotSatisfiable, SizeInvalid
from registry.oci.names import RepositoryName
from registry.storage.blob_store import Opening, Staging
from registry.storage.disk.errors import disk_refusals

TELL = 1 << 20
"""Bytes after which the gate hears of them, where they come by a worker thread: each time wakes the event loop."""


@dataclass(slots=True)
class Share:
    """What nodes have in common of one upload, as this node knows it.

    Attributes:
        acknowledged: bytes that any node can go on with.
        kept: of the bytes in the file here, those that are known to be among them.
        holder: names the claim of the request that works on it here; empty: none does.
        is_noted: whether it has a row; before its first byte it has none.
    """

    acknowledged: int = 0
    kept: int = 0
    holder: str = ""
    is_noted: bool = False


class UploadSession:
    """An open upload.

    Attributes:
        id: a UUID; part of the session's URL.
        repository: where the blob will be linked.
        algorithm: hashes the bytes as they arrive.
        principal_id: the caller that opened it.
        started: seconds since the epoch.
        claim: held by the one request that works on it.
        closed: whether it is over.
        followed: whether the gate wants progress reports.
        lasting_size: bytes that stay if the running last request fails.
        outcome: the blob that it was committed as.
        share: what it has in common with other nodes; `None`: it is this process's own.
    """

    def __init__(self, upload_id: str, opening: Opening) -> None:
        self.id = upload_id
        self.opening = opening
        self.repository = RepositoryName(opening.repository)
        self.algorithm = opening.algorithm
        self.principal_id = opening.principal
        self.started = opening.started
        self.claim = Claim()
        self.closed = False
        self.lasting_size: int | None = None
        self.outcome: Digest | None = None
        self.share: Share | None = None
        self._staging: Staging | None = None
        self._arrival: Arrival | None = None
        self.followed = False

    @property
    def size(self) -> int:
        """Bytes received so far, and here."""
        return 0 if self._staging is None else self._staging.size

    @property
    def resumes_at(self) -> int:
        """The offset at which a client resumes: bytes of a last request count only once it is complete."""
        if self.share is not None:
            return self.share.acknowledged
        return self.size if self.lasting_size is None else self.lasting_size

    @property
    def staged(self) -> bool:
        """Whether it has a staging place; it needs none before the first byte."""
        return self._staging is not None

    @property
    def is_empty(self) -> bool:
        """Whether it has no byte yet, here or elsewhere, and no place for any."""
        return self._staging is None and not (self.share is not None and self.share.acknowledged)

    @property
    def staging(self) -> Staging:
        """Where its bytes are, once it is `staged`."""
        if self._staging is None:
            raise RuntimeError(f"upload {self.id} has no place for bytes yet")
        return self._staging

    def stage(self, staging: Staging, arrival: Arrival | None) -> None:
        """Set its staging place, and the gate's follower."""
        self._staging, self._arrival, self.followed = staging, arrival, arrival is not None

    def require_open(self) -> None:
        """Raise BlobUploadUnknown when the session has ended."""
        if self.closed:
            raise BlobUploadUnknown

    def report(self, size: int) -> None:
        """Report to the gate that the bytes before `size` may be read."""
        if self._arrival is not None and self.followed:
            self.followed = self._arrival.wrote(size)

    def deliver(self, digest: Digest) -> None:
        """Report to the gate that the upload was committed."""
        if self._arrival is not None:
            self._arrival.committed(digest, self.size)

    def withdraw(self) -> None:
        """Report to the gate that the upload was abandoned."""
        if self._arrival is not None:
            self._arrival.aborted()
            self._arrival, self.followed = None, False

    async def truncate(self, size: int) -> None:
        """Remove the bytes after `size`; the gate stops following, since it was promised that they stay."""
        if size < self.size:
            self.withdraw()
            await self.staging.truncate(size)

    async def unstage(self) -> None:
        """Remove the bytes that are here: they are elsewhere, or nobody needs them."""
        self.withdraw()
        staging, self._staging = self._staging, None
        if staging is not None:
            await staging.abort()


class UploadSink:
    """Takes the bytes of one request.

    Args:
        session: its claim is held.
        length: the declared number of bytes, or `None`.
    """

    def __init__(self, session: UploadSession, length: int | None) -> None:
        self._session = session
        self._announced = length
        self._taken = 0
        self._reported = session.size
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes | memoryview) -> None:
        """Append; blocking, for one worker thread at a time.

        Raises:
            SizeInvalid: more than was announced.
            Unavailable: the disk refuses; the bytes written before still count.
        """
        self._count(len(data))
        with disk_refusals():
            self._session.staging.write(data)
        if self._session.followed and self._session.size - self._reported >= TELL:
            self._reported = self._session.size
            self._loop.call_soon_threadsafe(self._session.report, self._reported)

    async def append(self, pieces: Sequence[bytes]) -> None:
        """`write` from the loop, done by a worker thread of the store. Raises Unavailable when the disk refuses."""
        self._count(sum(map(len, pieces)))
        await self._session.staging.append(pieces)
        self._session.report(self._session.size)

    def report(self) -> None:
        """Report everything written to the gate, in the event loop's thread."""
        self._session.report(self._session.size)

    def require_complete(self) -> None:
        """Raise SizeInvalid when fewer bytes came than were announced."""
        if self._announced is not None and self._taken < self._announced:
            raise SizeInvalid(f"{self._taken} bytes came, {self._announced} were announced: send the chunk again")

    def _count(self, size: int) -> None:
        self._taken += size
        if self._announced is not None and self._taken > self._announced:
            raise SizeInvalid(f"more than the announced {self._announced} bytes came: send the chunk again")


@runtime_checkable
class Direct(Protocol):
    """A body that the server can pass to a function itself, in a worker thread."""

    @property
    def direct(self) -> bool:
        """Whether it can do so for this request."""
        ...

    async def pour(self, write: Callable[[memoryview], None]) -> None:
        """Pass the whole body to `write`; each piece is valid only until `write` returns."""
        ...


async def pour(body: AsyncIterator[bytes], sink: UploadSink, batch: int) -> None:
    """Write a body to the sink, `batch` bytes at a time; the next batch is collected while one is written.

    When the body breaks off, the bytes received are still written, so that the client can resume.
    """
    if isinstance(body, Direct) and body.direct:
        try:
            await body.pour(sink.write)
        finally:
            sink.report()
        return
    pouring = _Pouring(sink, batch)
    try:
        async for piece in body:
            await pouring.take(piece)
    finally:
        await pouring.finish()


class _Pouring:
    def __init__(self, sink: UploadSink, batch: int) -> None:
        self._sink = sink
        self._batch = batch
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._writing: asyncio.Task[None] | None = None

    async def take(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._buffered += len(piece)
        if self._buffered >= self._batch:
            await self._written()
            pieces, self._pieces, self._buffered = self._pieces, [], 0
            self._writing = asyncio.create_task(self._sink.append(pieces))

    async def finish(self) -> None:
        await self._written()
        if self._pieces:
            await self._sink.append(self._pieces)

    async def _written(self) -> None:
        """Wait for the batch being written; after a failure the next one must not be written."""
        writing, self._writing = self._writing, None
        try:
            if writing is not None:
                await writing
        except BaseException:
            self._pieces = []
            raise


async def no_bytes() -> AsyncIterator[bytes]:
    """A body without a byte: for a last request behind which nothing comes."""
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


async def drop(body: AsyncIterator[bytes]) -> None:
    """Read and discard a body, so that its client reads the response."""
    async for _ in body:
        pass


def require_start(session: UploadSession, start: int | None) -> None:
    """Raise RangeNotSatisfiable when the declared start is not where the session stands."""
    stands = session.resumes_at
    if start is not None and start != stands:
        raise RangeNotSatisfiable(f"the chunk starts at byte {start}, the upload stands at byte {stands}")


@asynccontextmanager
async def counting(session: UploadSession, length: int | None) -> AsyncIterator[UploadSink]:
    """A sink; its bytes are taken back if they are more or fewer than declared."""
    before = session.size
    sink = UploadSink(session, length)
    try:
        yield sink
        sink.require_complete()
    except SizeInvalid:
        await session.truncate(before)
        raise


async def collected(session: UploadSession, body: AsyncIterator[bytes], length: int) -> bytes:
    """A body of exactly this length, in memory; an incomplete one is discarded."""
    content = bytearray()
    with session.claim.receiving(body):
        async for piece in body:
            content += piece
            if len(content) > length:  # a chunked body whose Content-Range said less
                break
    if len(content) != length:
        came = f"{len(content)} bytes" if len(content) < length else "more"
        raise SizeInvalid(f"{came} came, {length} bytes were announced: send the chunk again")
    return bytes(content)
