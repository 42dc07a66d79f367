"""Room on the disk that is kept for freeing room: a full disk must still take a delete, a collection and a start.

    reserve         given up when a change that frees room finds none
    reserve.start   given up when a process cannot open the folder otherwise

Nobody but this module writes these files. While the reserve is given up, no content is taken, so that what was
freed serves its purpose; it is made again as soon as the disk has room for it.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path

from registry.oci.errors import StorageFull
from registry.storage.disk.fsync import sync_directory

_NAME, _START = "reserve", "reserve.start"
_PART = 16
"""At most so small a part of the disk is taken away from its use."""
_START_PART = 4


class DiskReserve:
    """The reserve of one data folder, for any thread; see `registry.storage.blob_store.Reserve`.

    Args:
        root: the data folder.
        wanted: bytes to be kept; 0: none.
    """

    def __init__(self, root: Path, wanted: int = 0) -> None:
        self._root = root
        self._wanted = wanted
        self._lock = threading.Lock()
        self._given_up = self._size() == 0

    @property
    def given_up(self) -> bool:
        """Whether it was, and is not made again yet."""
        return self._given_up

    def is_short(self) -> bool:
        """Whether so little room is left that what is removed must give its own at once."""
        return self._given_up or self.free() < (self._size() or 0)

    def want(self, size: int) -> None:
        """Keep so many bytes from the next `keep` on."""
        self._wanted = size

    def require(self) -> None:
        """Raise StorageFull while it is given up: what was freed is not for more content."""
        if self._given_up:
            raise StorageFull

    def keep(self) -> bool:
        """Have it, if the disk has room for twice as much; whether it is there."""
        with self._lock:
            found = os.statvfs(self._root)
            size = min(self._wanted, found.f_blocks * found.f_frsize // _PART)
            if not size:
                self._given_up = False
                return True
            parts = ((_START, size // _START_PART), (_NAME, size))
            missing = [(name, part) for name, part in parts if not self._has(name, part)]
            if missing and found.f_bavail * found.f_frsize < 2 * sum(part for _, part in missing):
                self._given_up = True
                return False
            for name, part in missing:
                self._allocate(name, part)
            self._given_up = False
            return True

    def give_up(self, *, start: bool = False) -> bool:
        """Let go of it, for something that frees room; whether there was any. With `start`, of the last part too."""
        with self._lock:
            freed = False
            for name in (_NAME, *((_START,) if start else ())):
                with suppress(OSError):
                    freed |= (self._root / name).stat().st_size > 0
                    os.truncate(self._root / name, 0)
            with suppress(OSError):
                sync_directory(self._root)  # some file systems free blocks with the next commit of their journal
            self._given_up = True
            return freed

    def free(self) -> int:
        """Bytes that are free on the disk."""
        found = os.statvfs(self._root)
        return found.f_bavail * found.f_frsize

    def problems(self) -> list[str]:
        """One sentence when the disk is full: also before anything needed the reserve."""
        try:
            free = self.free()
        except OSError:
            return []  # readiness tells of that
        if self._given_up or free < (self._size() or 0) // _START_PART:
            return [f"the disk is full ({free} bytes are free): delete something and run `basegate gc run`"]
        return []

    def _size(self) -> int | None:
        """Bytes of the reserve, 0 when it was given up, `None` when none was ever kept."""
        try:
            return (self._root / _NAME).lstat().st_size
        except OSError:
            return None

    def _has(self, name: str, size: int) -> bool:
        try:
            found = (self._root / name).lstat()
        except OSError:
            return False
        return found.st_size >= size

    def _allocate(self, name: str, size: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._root / name, flags, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            os.ftruncate(descriptor, 0)
            raise
        finally:
            os.close(descriptor)
