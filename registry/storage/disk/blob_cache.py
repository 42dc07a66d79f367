"""Copies of blobs of an object store in the data folder, so that they are sent by the kernel: the least used go first.

    cache/<algorithm>-<hex>    a copy, whole and checked
    cache/<uuid>.part          one that is being made

The content of the folder is that of one process: each start begins without. So nothing in it must survive a power
failure, and a copy counts only while its file is the very one that was made.
"""

import os
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from registry.oci.digest import Digest
from registry.storage.disk.reading import hash_file
from registry.storage.disk.reserve import DiskReserve
from registry.storage.file_stamp import Stamp, stamp_of

_FREE_PART = 2
"""The copies take at most such a part of the room that there would be without them."""


class BlobCache:
    """For use by any thread. Until `fit` is called it holds nothing and takes nothing.

    Args:
        folder: of the copies; made when it is needed.
        reserve: knows how much room the disk has.
    """

    def __init__(self, folder: Path, reserve: DiskReserve) -> None:
        self._folder = folder
        self._reserve = reserve
        self._maximum = 0
        self._begun = False
        self._stamps: OrderedDict[Digest, Stamp] = OrderedDict()
        self._coming: set[Digest] = set()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of all copies."""
        return self._bytes

    def fit(self, maximum: int) -> None:
        """Hold so many bytes at most from now on, and fewer where the disk has little room (blocking)."""
        with self._lock:
            if not self._begun and (maximum or self._folder.is_dir()):
                self._begin()
            self._maximum = maximum
            self._make_room(0)

    def find(self, digest: Digest) -> tuple[Path, Stamp] | None:
        """The copy of a blob, which is used now, and its stamp."""
        stamp = self._stamps.get(digest)
        if stamp is None:
            return None
        path = self._place(digest)
        try:
            found: Stamp | None = stamp_of(path.lstat())
        except OSError:
            found = None
        if found != stamp:
            self.forget(digest)
            return None
        self.touch(digest)
        return path, stamp

    def touch(self, digest: Digest) -> None:
        """The copy is used once more."""
        with self._lock, suppress(KeyError):
            self._stamps.move_to_end(digest)

    def forget(self, digest: Digest) -> None:
        """Remove a copy, if there is one (blocking, briefly)."""
        with self._lock:
            self._remove(digest)

    def check(self, digest: Digest, pace: Callable[[int], None]) -> None:
        """Read a copy again, from the disk; one that does not have its digest goes (blocking)."""
        if digest in self._stamps:
            found = hash_file(self._place(digest), digest.algorithm, pace, from_disk=True)
            if found is not None and found[0] != digest.encoded:
                self.forget(digest)

    def take(self, path: Path, digest: Digest, size: int) -> None:
        """Keep a whole, checked file of the same disk as a copy, or remove it (blocking)."""
        with self._lock:
            try:
                if digest not in self._stamps and self._make_room(size):
                    self._keep(path, digest)
            except OSError as error:
                _warn(error)
            path.unlink(missing_ok=True)

    def begin(self, digest: Digest, size: int) -> "GrowingCopy | None":
        """A copy to be made while its bytes pass by; `None` when it has no room here, is here, or is being made."""
        with self._lock:
            if digest in self._stamps or digest in self._coming or not self._make_room(size):
                return None
            self._coming.add(digest)
        return GrowingCopy(self, self._folder / f"{uuid.uuid4()}.part", digest)

    def end(self, digest: Digest, path: Path, *, whole: bool) -> None:
        """What `begin` gave has all of its bytes, with their digest, or never will (blocking)."""
        with self._lock:
            self._coming.discard(digest)
            with suppress(OSError):
                if whole and digest not in self._stamps and self._make_room(path.stat().st_size):
                    self._keep(path, digest)
            path.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for path in self._folder.iterdir():
            path.unlink()
        self._begun = True

    def _make_room(self, size: int) -> bool:
        """Remove copies until `size` more bytes fit; whether they do."""
        allowed = self._maximum and min(self._maximum, (self._bytes + self._reserve.free()) // _FREE_PART)
        if size > allowed:
            return False
        while self._stamps and self._bytes + size > allowed:
            self._remove(next(iter(self._stamps)))
        return True

    def _keep(self, path: Path, digest: Digest) -> None:
        place = self._place(digest)
        path.rename(place)
        stamp = stamp_of(place.lstat())
        self._stamps[digest] = stamp
        self._bytes += stamp.size

    def _remove(self, digest: Digest) -> None:
        stamp = self._stamps.pop(digest, None)
        if stamp is not None:
            self._bytes -= stamp.size
            self._place(digest).unlink(missing_ok=True)

    def _place(self, digest: Digest) -> Path:
        return self._folder / f"{digest.algorithm}-{digest.encoded}"


class GrowingCopy:
    """A copy that is made while a client is sent the bytes; what the disk refuses ends the copy, and nothing else.

    Args:
        cache: whose it will be.
        path: of the file.
        digest: of the blob.
    """

    def __init__(self, cache: BlobCache, path: Path, digest: Digest) -> None:
        self._cache = cache
        self._path = path
        self._digest = digest
        self._descriptor: int | None = None
        self._over = False

    def write(self, piece: bytes) -> None:
        """Append (blocking)."""
        if self._over:
            return
        try:
            if self._descriptor is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                self._descriptor = os.open(self._path, flags, 0o400)
            left = memoryview(piece)
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            _warn(error)
            self.end(whole=False)

    def end(self, *, whole: bool) -> None:
        """All bytes came, with their digest, or they did not (blocking, briefly). Safe to call twice."""
        if self._over:
            return
        self._over = True
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._cache.end(self._digest, self._path, whole=whole and self._descriptor is not None)


def _warn(error: OSError) -> None:
    structlog.get_logger(__name__).warning("a blob cannot be cached", reason=error.strerror)
