"""One upload's bytes on disk until they have a digest."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from registry.oci.digest import Digest, Hasher, new_hasher, require_digest
from registry.oci.errors import BlobUploadUnknown, DigestInvalid
from registry.storage.blob_store import Opening, StoredBlob
from registry.storage.disk.ending import Ending, read_ending, write_ending
from registry.storage.disk.errors import disk_refusals
from registry.storage.disk.fsync import Writeback
from registry.storage.disk.layout import Layout
from registry.storage.disk.reading import open_blob
from registry.storage.disk.reserve import DiskReserve

T = TypeVar("T")

PIECE = 1 << 20
_VECTOR = 1024  # IOV_MAX of Linux
_DATA = "data"
_SESSION = "session.json"

MakeBlob = Callable[[Path, Digest, int, float], StoredBlob]
"""Makes a blob of a complete file, durably, and takes the file away (blocking).

It is given the file, its digest, its size in bytes and the time of the commit in seconds since the epoch.
"""


@dataclass(frozen=True)
class StagingContext:
    """What every upload of one store shares."""

    layout: Layout
    pool: Executor
    make_blob: MakeBlob
    writeback: Writeback
    sync_bytes: int
    reserve: DiskReserve


class DiskStaging:
    """A file that grows; see `registry.storage.blob_store.Staging`.

    Until `keep` it is one file in incoming/, made with the first byte. `keep` gives it a folder in uploads/.

    The hash is computed as bytes come. When that is not possible (bytes of an earlier process, bytes taken back, a
    digest of another algorithm than announced) the file is read once more at the commit.
    """

    def __init__(
        self, workshop: StagingContext, upload: str, opening: Opening, size: int = 0, *, kept: bool = False
    ) -> None:
        self._workshop = workshop
        self._incoming = workshop.layout.incoming / upload
        self._folder = workshop.layout.uploads / upload
        self._opening = opening
        self._size = size
        self._synced = size
        self._hasher: Hasher | None = None if size else new_hasher(opening.algorithm)
        self._descriptor = -1
        self._kept = self._made = kept
        self._over = False
        self._last: Digest | None = None
        self._ending: Ending | None = None
        self._committed: Digest | None = None
        self._lock = threading.Lock()

    @classmethod
    def resume(cls, workshop: StagingContext, upload: str) -> "DiskStaging":
        """The bytes of an earlier process (blocking).

        Raises:
            BlobUploadUnknown: there are none, or what they were opened with is lost.
        """
        folder = workshop.layout.uploads / upload
        try:
            with open_blob(folder / _SESSION) as file:
                opening = Opening(**json.loads(file.readall()))
            ending, size = read_ending(folder), _size_of(folder / _DATA)
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError, DigestInvalid):
            raise BlobUploadUnknown from None
        if size is None and (ending is None or not ending.checked):
            raise BlobUploadUnknown
        held = min(size or 0, size or 0 if ending is None else ending.size)
        found = cls(workshop, upload, opening, held, kept=True)
        found._ending = ending
        if size is None and ending is not None:
            found._committed, found._over = ending.digest, True
        return found

    @property
    def opening(self) -> Opening:
        """What it was opened with."""
        return self._opening

    @property
    def size(self) -> int:
        """Bytes held so far."""
        return self._size

    @property
    def committed(self) -> Digest | None:
        """The blob that an earlier process made of it."""
        return self._committed

    def last(self, digest: Digest | None) -> None:
        """What is written from now on ends the upload, or does not; noted on the disk with the next bytes."""
        self._last = digest

    @property
    def path(self) -> Path:
        """The growing file; `keep` moves it."""
        return self._folder / _DATA if self._kept else self._incoming

    def read_at(self, start: int, length: int) -> bytes:
        """Read the growing file, which nobody keeps open for that."""
        with open_blob(self.path) as file:
            return os.pread(file.fileno(), min(length, max(0, self._size - start)), start)

    def write(self, data: bytes | memoryview) -> None:
        """Append at the known size, whatever an earlier failed write may have left behind it, then hash."""
        self._write([data])

    async def append(self, pieces: Sequence[bytes]) -> None:
        """Write in a worker thread. Raises Unavailable when the disk refuses."""
        await self._run(lambda: self._write(pieces))

    async def keep(self) -> None:
        """Write down what it was opened with, in a folder that the bytes go to."""
        if not self._kept:
            await self._run(self._keep)

    async def truncate(self, size: int) -> None:
        """Forget the bytes behind `size`; the hash of the rest is computed at the commit."""
        await self._run(lambda: self._truncate(size))

    async def commit(self, digest: Digest) -> StoredBlob:
        """Check the digest, sync the bytes, give them their name, sync the name."""
        return await self._run(lambda: self._commit(digest))

    async def forget(self) -> None:
        """Remove what tells of the commit."""
        if self._kept:
            await self._run(self._remove_folder)

    async def abort(self) -> None:
        """Remove all that the upload has on the disk."""
        await self._run(self._abort)

    def release(self) -> None:
        """Close the file; a worker that still writes keeps it."""
        if self._lock.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._lock.release()

    async def _run(self, work: Callable[[], T]) -> T:
        with disk_refusals():
            return await asyncio.get_running_loop().run_in_executor(self._workshop.pool, work)

    def _write(self, pieces: Sequence[bytes | memoryview]) -> None:
        self._workshop.reserve.require()
        with self._lock:
            descriptor = self._open()
            self._note_ending(descriptor)
            done = _write_all(descriptor, pieces, self._size)
            if self._hasher is not None:
                for piece in pieces:
                    self._hasher.update(piece)
            self._size += done
            self._start_writeback(descriptor)

    def _open(self) -> int:
        """The growing file, made when there is none yet."""
        if self._over:
            raise BlobUploadUnknown
        if self._descriptor < 0:
            making = 0 if self._made else os.O_CREAT | os.O_TRUNC
            try:
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | making, 0o600)
            except FileNotFoundError:  # expired or cancelled by another process
                raise BlobUploadUnknown from None
            self._made = True
        return self._descriptor

    def _note_ending(self, descriptor: int, *, checked: bool = False) -> None:
        """Say on the disk whether the bytes that come end the upload: a later process has to know how to read it."""
        noted = self._ending
        if not self._kept or (noted is None and self._last is None):
            return
        if noted is not None and (noted.digest, noted.checked) == (self._last, checked):
            return
        before = self._size if noted is None or self._last is None else noted.size
        if noted is not None and self._last is None:
            os.ftruncate(descriptor, self._size)  # what the note would have had taken back
        self._ending = None if self._last is None else Ending(before, self._last, checked)
        write_ending(self._folder, self._ending)

    def _keep(self) -> None:
        with self._lock:
            self._open()
            self._folder.mkdir(mode=0o700, exist_ok=True)
            (self._folder / _SESSION).write_text(json.dumps(asdict(self._opening)), encoding="utf-8")
            self._incoming.rename(self._folder / _DATA)
            self._kept = True

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _start_writeback(self, descriptor: int) -> None:
        step = self._workshop.sync_bytes
        if step and self._size - self._synced >= step:
            self._workshop.writeback(descriptor, self._synced, self._size - self._synced)
            self._synced = self._size

    def _truncate(self, size: int) -> None:
        with self._lock:
            if size < self._size:
                os.ftruncate(self._open(), size)
                self._size = self._synced = size
                self._hasher = None if size else new_hasher(self._opening.algorithm)

    def _commit(self, digest: Digest) -> StoredBlob:
        with self._lock:
            try:
                descriptor = self._open()
                self._check(digest)
                self._last = digest
                self._note_ending(descriptor, checked=True)
                modified = self._settle(descriptor)
                blob = self._workshop.make_blob(self.path, digest, self._size, modified)
            except BaseException:
                # Also after a failed sync: the kernel may report it only once, so these bytes are not to be trusted.
                self._discard()
                raise
            self._close()
            self._over = True
            return blob

    def _settle(self, descriptor: int) -> float:
        """Make the bytes durable and read-only; returns the time of the commit, which the file bears."""
        if os.fstat(descriptor).st_size != self._size:  # the rest of a write that failed
            os.ftruncate(descriptor, self._size)
        now = time.time_ns()
        os.fchmod(descriptor, 0o444)
        os.utime(descriptor, ns=(now, now))
        os.fdatasync(descriptor)
        return now / 1e9

    def _check(self, digest: Digest) -> None:
        hasher = self._hasher
        if hasher is None or digest.algorithm != self._opening.algorithm:
            hasher = self._hash_file(digest.algorithm)
        require_digest(digest, f"{digest.algorithm}:{hasher.hexdigest()}")

    def _hash_file(self, algorithm: str) -> Hasher:
        hasher = new_hasher(algorithm)
        buffer = memoryview(bytearray(PIECE))
        left = self._size
        try:
            with open_blob(self.path) as file:
                while left and (count := file.readinto(buffer[: min(left, PIECE)])):
                    hasher.update(buffer[:count])
                    left -= count
        except FileNotFoundError:
            raise BlobUploadUnknown from None
        return hasher

    def _abort(self) -> None:
        with self._lock:
            self._discard()

    def _discard(self) -> None:
        self._close()
        self._over = True
        self._incoming.unlink(missing_ok=True)
        self._remove_folder()

    def _remove_folder(self) -> None:
        with suppress(FileNotFoundError):
            (self._folder / _DATA).unlink(missing_ok=True)
            (self._folder / _SESSION).unlink(missing_ok=True)
            write_ending(self._folder, None)
            self._folder.rmdir()


def staged_in(layout: Layout) -> Iterator[tuple[str, float]]:
    """What uploads/ and incoming/ hold, with the time of the data, or of the folder without any (blocking)."""
    for folder in (layout.uploads, layout.incoming):
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            time_of_last = _last_byte(folder / name)
            if time_of_last is not None:
                yield name, time_of_last


def _last_byte(folder: Path) -> float | None:
    for path in (folder / _DATA, folder):
        with suppress(FileNotFoundError, NotADirectoryError):
            return path.stat().st_mtime
    return None


def _size_of(path: Path) -> int | None:
    try:
        with open_blob(path) as file:
            return os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return None


def _write_all(descriptor: int, pieces: Sequence[bytes | memoryview], at: int) -> int:
    """Write all pieces one behind the other, without joining them in memory first; the bytes written."""
    done = 0
    for start in range(0, len(pieces), _VECTOR):
        left = [memoryview(piece) for piece in pieces[start : start + _VECTOR] if piece]
        while left:
            count = os.pwritev(descriptor, left, at + done)
            done += count
            while left and count >= len(left[0]):
                count -= len(left.pop(0))
            if count:
                left[0] = left[0][count:]
    return done
