"""Blobs as files on one disk, after the layout drawn in `registry.storage.disk.layout`.

A blob becomes visible by the rename of a complete, synced, read-only file; a 201 waits for the sync of its folder.
"""

import asyncio
import os
import stat
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiofiles

from registry.caches import ContentCache
from registry.oci.digest import Digest
from registry.oci.errors import ContentTooLarge
from registry.storage.blob_store import Opening, StoredBlob
from registry.storage.disk.directories import Directories, folder_of
from registry.storage.disk.errors import as_read_error, disk_refusals, read_refusals
from registry.storage.disk.fsync import DirectorySyncs, early_writeback, file_system_sync
from registry.storage.disk.layout import Layout
from registry.storage.disk.quarantine import DiskQuarantine
from registry.storage.disk.reading import StoredFile, hash_file, open_blob, regular_file
from registry.storage.disk.reserve import DiskReserve
from registry.storage.disk.small_files import SmallFiles
from registry.storage.disk.staging import PIECE, DiskStaging, StagingContext, staged_in
from registry.storage.disk.stray import is_file
from registry.storage.disk.trash import DiskTrash
from registry.storage.file_stamp import SoundFiles, Stamp, stamp_of

T = TypeVar("T")

_SMALL = 64 * 1024
_WHOLE = 64 << 20
"""Bytes of the largest blob that is read whole: a manifest of an earlier basegate, whatever its limit was."""
_REMEMBERED = 4 << 20
"""Bytes of small content that are kept in memory: a configuration is read as soon as its manifest comes."""


class DiskStore:
    """See `registry.storage.blob_store.BlobStore` for the promises.

    Attributes:
        small: writes small content in other ways than `put`; `remember` what came in by them.
        quarantine: damaged content.
        trash: what was collected and can be brought back.
        reserve: room for what frees room.

    Args:
        root: the folder; made when absent.
        pool: where blocking work runs.
        sync_bytes: how much of an upload may wait for the disk before writing it back begins; 0: until the commit.

    Raises:
        OSError: the folder cannot be made or written.
        LayoutUnknown: it has another layout.
    """

    def __init__(self, root: Path, pool: Executor, *, sync_bytes: int = 8 << 20) -> None:
        self._layout = Layout(root)
        self._layout.prepare()
        self._pool = pool
        self._syncs = DirectorySyncs()
        self._shelves = Directories(self._layout, self._syncs)
        self._recent = ContentCache(_REMEMBERED)
        self.quarantine = DiskQuarantine(self._layout)
        self.reserve = DiskReserve(root)
        self.trash = DiskTrash(self._layout, self._shelves)
        self._sound = SoundFiles()
        self.small = SmallFiles(self._layout, self._shelves, file_system_sync(self._layout.incoming))
        self._workshop = StagingContext(
            self._layout, pool, self._make_blob, early_writeback(), sync_bytes, self.reserve
        )

    async def stat(self, digest: Digest, size: int | None = None) -> StoredBlob | None:
        """Ask the file system in the loop's thread: cheaper than a hop to another.

        A small blob is read before it is handed out, unless this process has read the same file before.
        """
        with read_refusals():
            found = _at_rest(digest, self._layout.blob(digest))
            if found is None or found.stamp is None or size is None:
                return found
            fits = found.size == size
            if fits and (size > _SMALL or self._sound.knows(digest, found.stamp)):
                return found
            sound = await self._run(partial(self._examine, digest, found.stamp))
            return found if sound and fits else None

    async def get(self, digest: Digest, maximum: int) -> bytes | None:
        """Read in a worker thread, unless it is small, was stored or read lately, and is still there."""
        known = self._recent.get(digest)
        if known is not None and len(known) <= maximum and is_file(self._layout.blob(digest)):
            return known
        found = await self._run(lambda: self._read_sound(digest, maximum))
        if found is not None:
            self.remember(digest, found)
        return found

    def _read_sound(self, digest: Digest, maximum: int) -> bytes | None:
        """The bytes of a blob that has its digest; any other is set aside."""
        found = _read_whole(self._layout.blob(digest), maximum)
        if found is None:
            return None
        content, stamp = found
        if Digest.of(content, digest.algorithm) == digest:
            self._sound.add(digest, stamp)
            return content
        self.quarantine.set_aside(digest, stamp, f"its {len(content)} bytes have another digest")
        return None

    def _examine(self, digest: Digest, stamp: Stamp) -> bool:
        """Whether a file that is doubted has its digest; otherwise it is set aside."""
        if self._sound.knows(digest, stamp):
            return True
        found = hash_file(self._layout.blob(digest), digest.algorithm)
        if found is None:
            return False
        encoded, seen = found
        if encoded == digest.encoded:
            self._sound.add(digest, seen)
            return True
        self.quarantine.set_aside(digest, seen, f"its {seen.size} bytes have another digest")
        return False

    async def read(self, blob: StoredBlob, start: int, length: int) -> AsyncIterator[bytes]:
        """Open once, then a piece for each worker-thread hop."""
        path = self._layout.blob(blob.digest)
        try:
            async with aiofiles.open(path, "rb", buffering=0, executor=self._pool, opener=regular_file) as file:
                await file.seek(start)
                left = length
                while left > 0 and (piece := await file.read(min(left, PIECE))):
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise as_read_error(error) from error

    async def put(self, digest: Digest, content: bytes) -> StoredBlob:
        """Write beside, sync, rename, sync the folder; again when it is there: that makes its age start again."""
        self.reserve.require()
        stored = await self._run(lambda: self.small.store(digest, content))
        self.remember(digest, content)
        return stored

    def remember(self, digest: Digest, content: bytes) -> None:
        """Have content at hand that is about to be read, if it is small."""
        if len(content) <= _SMALL:
            self._recent.put(digest, content)

    async def stage(self, upload: str, opening: Opening | None = None) -> DiskStaging:
        """Nothing on the disk yet; or what an earlier process left in uploads/."""
        if opening is None:
            return await self._run(lambda: DiskStaging.resume(self._workshop, upload))
        return DiskStaging(self._workshop, upload, opening)

    def _make_blob(self, path: Path, digest: Digest, size: int, modified: float) -> StoredBlob:
        return StoredFile(digest, size, self._shelves.place(path, digest), modified)

    def delete(self, digest: Digest, older_than: float | None = None, *, keep: bool = False) -> bool:
        """Take the file away first and look at its age then.

        A commit renames a fresh file over the blob's name. Were the age looked at in place, that rename could come
        between the look and the removal, and the removal would hit the fresh file. So the file is moved aside, where no
        commit reaches it, and moved back when it turns out to be fresh, unless a still newer one is in its place.
        """
        path = self._layout.blob(digest)
        aside = self._layout.discarded / f"{digest.encoded}.{uuid.uuid4()}"
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        if older_than is not None and aside.stat().st_mtime >= older_than:
            self._shelves.bring_back(aside, path)
            return False
        if keep:
            aside.rename(self._layout.trashed(digest))
        else:
            aside.unlink()
        return True

    async def blobs(self) -> AsyncIterator[StoredBlob]:
        """Folder by folder, so that memory stays flat."""
        for algorithm, folder in await self._run(lambda: list(self._shelves.folders())):
            for blob in await self._run(partial(_list, algorithm, folder)):
                yield blob

    def digests(self, after: str) -> Iterator[Digest]:
        """Folder by folder, so that memory stays flat (blocking)."""
        for folder in self._shelves.all():
            yield from (digest for digest in folder_of(folder) if digest > after)

    def holds(self, digest: Digest) -> bool:
        """Whether there is a file for the blob, whatever is in it (blocking)."""
        return is_file(self._layout.blob(digest))

    def size_of(self, digest: Digest) -> int | None:
        """Bytes of the blob's file, or `None` when there is none (blocking)."""
        found = _at_rest(digest, self._layout.blob(digest))
        return None if found is None else found.size

    def read_whole(self, digest: Digest) -> bytes | None:
        """The bytes of a small blob that has its digest; any other is set aside (blocking)."""
        return self._read_sound(digest, _WHOLE)

    def scrub(self, digest: Digest, pace: Callable[[int], None]) -> tuple[int, bool]:
        """Read a blob's bytes from the disk; those that do not have its digest are set aside (blocking).

        Returns the bytes that were read, and whether they are sound; a blob that has gone is.
        """
        found = hash_file(self._layout.blob(digest), digest.algorithm, pace, from_disk=True)
        if found is None:
            return 0, True
        encoded, stamp = found
        sound = encoded == digest.encoded
        if not sound:
            self.quarantine.set_aside(digest, stamp, f"its {stamp.size} bytes have another digest")
        return stamp.size, sound

    async def uploads(self) -> AsyncIterator[tuple[str, float]]:
        """What uploads/ and incoming/ hold; the time is that of the data, or of the folder when there is none."""
        for found in await self._run(lambda: list(staged_in(self._layout))):
            yield found

    async def _run(self, work: Callable[[], T]) -> T:
        with disk_refusals():
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _at_rest(digest: Digest, path: Path) -> StoredBlob | None:
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):  # a link may lead to what is not ours to hand out
        return None
    return StoredFile(digest, found.st_size, path, found.st_mtime, stamp_of(found))


def _read_whole(path: Path, maximum: int) -> tuple[bytes, Stamp] | None:
    try:
        with open_blob(path) as file:
            found = os.fstat(file.fileno())
            if found.st_size > maximum:
                raise ContentTooLarge(f"the content has {found.st_size} bytes, at most {maximum} are read here")
            return file.readall(), stamp_of(found)
    except FileNotFoundError:
        return None


def _list(algorithm: str, folder: Path) -> list[StoredBlob]:
    with os.scandir(folder) as entries:
        found = [_at_rest(Digest(f"{algorithm}:{entry.name}"), Path(entry.path)) for entry in entries]
    return [blob for blob in found if blob is not None]
