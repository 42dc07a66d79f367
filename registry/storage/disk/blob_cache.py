"""Copies of blobs of an object store in the data folder, so that they are sent by the kernel: the least used go first.

    cache/<algorithm>-<hex>.<uuid>    a copy, whole and checked
    cache/<uuid>.part                 one that is being made

The content of the folder is that of one process: each start begins without. So nothing in it must survive a power
failure, and a copy counts only while its file is the very one that was made. No file has the name of an earlier one:
so files are removed without the lock, which is held for moments only.
"""

import os
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from registry.oci.digest import Digest, Hasher, new_hasher
from registry.storage.disk.reading import hash_file
from registry.storage.disk.reserve import DiskReserve
from registry.storage.file_stamp import Stamp, stamp_of

_FREE_PART = 2
"""The copies take at most such a part of the room that there would be without them."""
_STALLED_SECONDS = 10.0
"""A copy that has not grown for so long gives way to another that needs its room: a piece has a MiB at most."""


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
        stalled_seconds: after so long without a byte the room of a copy that is being made is for others.
    """

    def __init__(self, folder: Path, reserve: DiskReserve, stalled_seconds: float = _STALLED_SECONDS) -> None:
        self._folder = folder
        self._reserve = reserve
        self._stalled_seconds = stalled_seconds
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
        """A copy to be made of the bytes that pass by; `None` when it is here, or has no room (blocking).

        One is made at a time, by all who read the blob meanwhile. It counts as if all of its bytes were here. Each call
        needs one of `GrowingCopy.leave`.
        """
        given_up: list[GrowingCopy] = []
        try:
            with suppress(OSError), self._changing() as gone:
                if digest in self._copies:
                    return None
                copy = self._growing.get(digest)
                if copy is None:
                    if not self._make_room(size, gone):
                        given_up += self._stalled() if size <= self._allowed() else []
                        if not given_up or not self._make_room(size, gone):
                            return None
                    copy = GrowingCopy(self, self._folder / f"{uuid.uuid4()}.part", digest, size)
                    self._growing[digest] = copy
                copy.readers += 1
                return copy
            return None
        finally:
            for each in given_up:
                each.end(whole=False)

    def leave(self, copy: "GrowingCopy") -> None:
        """One of those who read what `begin` gave reads no more; without any it is given up (blocking)."""
        with self._lock:
            copy.readers -= 1
            is_left = copy.readers == 0 and self._growing.get(copy.digest) is copy
            if is_left:
                del self._growing[copy.digest]
        if is_left:
            copy.end(whole=False)

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

    def _stalled(self) -> list["GrowingCopy"]:
        """Give up the copies that do not grow; they are still to be ended."""
        before = time.monotonic() - self._stalled_seconds
        stalled = [copy for copy in self._growing.values() if copy.moved <= before]
        for copy in stalled:
            del self._growing[copy.digest]
        return stalled

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
    """A copy that is made while clients are sent the bytes, of what that one is sent who is ahead of the others.

    So one who reads slowly, or leaves, keeps nobody from it. What the disk refuses ends the copy, and nothing else.

    Attributes:
        path: of the file.
        digest: of the blob.
        size: bytes of the whole blob.
        written: how many of them are in the file.
        moved: when the last of them came, by the monotonic clock.
        readers: how many read the blob and may add to the file; the cache counts them.

    Args:
        cache: whose it will be.
    """

    def __init__(self, cache: BlobCache, path: Path, digest: Digest, size: int) -> None:
        self.path = path
        self.digest = digest
        self.size = size
        self.written = 0
        self.moved = time.monotonic()
        self.readers = 0
        self._cache = cache
        self._hasher = new_hasher(digest.algorithm)
        self._only: Hasher | None = None
        self._descriptor: int | None = None
        self._over = False
        self._lock = threading.RLock()

    def write(self, start: int, piece: bytes, hasher: Hasher) -> None:
        """Append what the file does not have yet of a piece; with the last byte the copy is whole, or wrong (blocking).

        `start`: where in the blob the piece is. `hasher`: has taken all that this reader was given so far.
        """
        with self._lock:
            known = self.written - start
            if self._over or not 0 <= known < len(piece):
                return
            try:
                self._append(memoryview(piece)[known:], hasher)
            except OSError as error:
                _warn(error)
                self.end(whole=False)
                return
            if self.written >= self.size:
                self.end(whole=self._hasher.hexdigest() == self.digest.encoded)

    def leave(self) -> None:
        """A reader has all of the bytes, or wants no more of them (blocking)."""
        self._cache.leave(self)

    def end(self, *, whole: bool) -> None:
        """It has all bytes, with their digest, or never will (blocking). Safe to call twice, and beside `write`."""
        with self._lock:
            if self._over:
                return
            self._over = True
            if self._descriptor is not None:
                os.close(self._descriptor)
        self._cache.end(self, whole=whole and self.written == self.size)

    def _append(self, new: memoryview, hasher: Hasher) -> None:
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self.path, flags, 0o400)
            self._only = hasher
        if self._only is hasher:  # all bytes of the file are its own: they are hashed once
            self._hasher = hasher.copy()
        else:
            self._only = None
            self._hasher.update(new)
        while new:
            count = os.write(self._descriptor, new)
            self.written += count
            new = new[count:]
        self.moved = time.monotonic()


def _warn(error: OSError) -> None:
    structlog.get_logger(__name__).warning("a blob cannot be cached", reason=error.strerror)
