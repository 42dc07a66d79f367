"""Copies of blobs of an object store in the data folder, so that they are sent by the kernel: the least used go first.

    cache/<algorithm>-<hex>.<uuid>    a copy, whole and checked
    cache/<uuid>.part                 one that is being made

The content of the folder is that of one process: each start begins without. So nothing in it must survive a power
failure, and a copy counts only while its file is the very one that was made. No file has the name of an earlier one:
so files are removed without the lock, which is held for moments only.
"""

import os
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from registry.oci.digest import Digest
from registry.storage.disk.reading import hash_file
from registry.storage.disk.reserve import DiskReserve
from registry.storage.file_stamp import Stamp, stamp_of

_FREE_PART = 2
"""The copies take at most such a part of the room that there would be without them."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A whole copy.

    Attributes:
        path: of its file.
        stamp: as it was made.
    """

    path: Path
    stamp: Stamp


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
        self._copies: OrderedDict[Digest, _Copy] = OrderedDict()
        self._growing: dict[Digest, GrowingCopy] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of all copies."""
        return self._bytes

    def fit(self, maximum: int) -> None:
        """Hold so many bytes at most from now on, and fewer where the disk has little room (blocking)."""
        given_up: list[GrowingCopy] = []
        with self._changing() as gone:
            if not self._begun and (maximum or self._folder.is_dir()):
                self._begin()
            self._maximum = maximum
            self._make_room(0, gone)
            while self._growing and self._promised() > self._allowed():
                given_up.append(self._growing.popitem()[1])
        for copy in given_up:
            copy.end(whole=False)
        if maximum:
            self._folder.mkdir(mode=0o700, exist_ok=True)

    def find(self, digest: Digest) -> tuple[Path, Stamp] | None:
        """The copy of a blob, which is used now, and its stamp."""
        copy = self._copies.get(digest)
        if copy is None:
            return None
        try:
            found: Stamp | None = stamp_of(copy.path.lstat())
        except OSError:
            found = None
        if found != copy.stamp:
            self._forget(digest, copy)
            return None
        self.touch(digest)
        return copy.path, copy.stamp

    def touch(self, digest: Digest) -> None:
        """The copy is used once more."""
        with self._lock, suppress(KeyError):
            self._copies.move_to_end(digest)

    def forget(self, digest: Digest) -> None:
        """Remove a copy, if there is one (blocking, briefly)."""
        self._forget(digest, self._copies.get(digest))

    def check(self, digest: Digest, pace: Callable[[int], None]) -> None:
        """Read a copy again, from the disk; one that cannot be read, or does not have its digest, goes (blocking)."""
        copy = self._copies.get(digest)
        if copy is None:
            return
        try:
            found = hash_file(copy.path, digest.algorithm, pace, from_disk=True)
        except OSError:
            found = None
        if found is None or found[0] != digest.encoded:
            self._forget(digest, copy)

    def take(self, path: Path, digest: Digest, size: int) -> None:
        """Keep a whole, checked file of the same disk as a copy, or remove it (blocking)."""
        with self._changing() as gone:
            gone.append(path)
            try:
                if digest not in self._copies and self._make_room(size, gone, there=size):
                    self._keep(path, digest)
            except OSError as error:
                _warn(error)

    def begin(self, digest: Digest, size: int) -> "GrowingCopy | None":
        """A copy to be made while its bytes pass by; `None` when it has no room, is here, or is being made (blocking).

        It counts as if all of its bytes were here.
        """
        with suppress(OSError), self._changing() as gone:
            if digest not in self._copies and digest not in self._growing and self._make_room(size, gone):
                copy = GrowingCopy(self, self._folder / f"{uuid.uuid4()}.part", digest, size)
                self._growing[digest] = copy
                return copy
        return None

    def end(self, copy: "GrowingCopy", *, whole: bool) -> None:
        """What `begin` gave has all of its bytes, with their digest, or never will (blocking)."""
        with self._changing() as gone:
            gone.append(copy.path)
            if self._growing.get(copy.digest) is not copy:
                return  # given up
            del self._growing[copy.digest]
            with suppress(OSError):
                if whole and copy.digest not in self._copies and self._make_room(copy.size, gone, there=copy.written):
                    self._keep(copy.path, copy.digest)

    def _begin(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for path in self._folder.iterdir():
            if path.is_symlink() or not path.is_dir():  # nobody here makes folders in it
                path.unlink()
        self._begun = True

    @contextmanager
    def _changing(self) -> Iterator[list[Path]]:
        """With the lock; what is added to the list is removed without it: large files take long."""
        gone: list[Path] = []
        try:
            with self._lock:
                yield gone
        finally:
            for path in gone:
                with suppress(OSError):
                    path.unlink()

    def _allowed(self, there: int = 0) -> int:
        """Bytes that the copies may take; `there`: how many are on the disk beside those that are counted."""
        if not self._maximum:
            return 0
        on_disk = self._bytes + sum(copy.written for copy in self._growing.values()) + there
        return min(self._maximum, (on_disk + self._reserve.free()) // _FREE_PART)

    def _promised(self) -> int:
        """Bytes that copies will have that are being made."""
        return sum(copy.size for copy in self._growing.values())

    def _make_room(self, size: int, gone: list[Path], there: int = 0) -> bool:
        """Give up copies until `size` more bytes fit, of which some may be there; whether they do."""
        allowed = self._allowed(there) - self._promised()
        if size and size > allowed:
            return False
        while self._copies and self._bytes + size > allowed:
            gone.append(self._remove(next(iter(self._copies))))
        return True

    def _keep(self, path: Path, digest: Digest) -> None:
        place = self._folder / f"{digest.algorithm}-{digest.encoded}.{uuid.uuid4()}"
        path.rename(place)
        stamp = stamp_of(place.lstat())
        self._copies[digest] = _Copy(place, stamp)
        self._bytes += stamp.size

    def _forget(self, digest: Digest, copy: _Copy | None) -> None:
        with self._changing() as gone:
            if copy is not None and self._copies.get(digest) is copy:
                gone.append(self._remove(digest))

    def _remove(self, digest: Digest) -> Path:
        copy = self._copies.pop(digest)
        self._bytes -= copy.stamp.size
        return copy.path


class GrowingCopy:
    """A copy that is made while a client is sent the bytes; what the disk refuses ends the copy, and nothing else.

    Attributes:
        path: of the file.
        digest: of the blob.
        size: bytes of the whole blob.
        written: how many of them are in the file.

    Args:
        cache: whose it will be.
    """

    def __init__(self, cache: BlobCache, path: Path, digest: Digest, size: int) -> None:
        self.path = path
        self.digest = digest
        self.size = size
        self.written = 0
        self._cache = cache
        self._descriptor: int | None = None
        self._over = False
        self._lock = threading.RLock()

    def write(self, piece: bytes) -> None:
        """Append (blocking)."""
        with self._lock:
            if self._over:
                return
            try:
                self._append(piece)
            except OSError as error:
                _warn(error)
                self.end(whole=False)

    def end(self, *, whole: bool) -> None:
        """All bytes came, with their digest, or they did not (blocking). Safe to call twice, and beside `write`."""
        with self._lock:
            if self._over:
                return
            self._over = True
            if self._descriptor is not None:
                os.close(self._descriptor)
        self._cache.end(self, whole=whole and self.written == self.size)

    def _append(self, piece: bytes) -> None:
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self.path, flags, 0o400)
        left = memoryview(piece)
        while left:
            count = os.write(self._descriptor, left)
            self.written += count
            left = left[count:]


def _warn(error: OSError) -> None:
    structlog.get_logger(__name__).warning("a blob cannot be cached", reason=error.strerror)
