"""Making file names and bytes durable (fsync(2), sync_file_range(2))."""

import ctypes
import os
import platform
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SYNC_FILE_RANGE_WRITE = 2
_SYNCFS_TELLS = (5, 8)
"""The Linux since which syncfs(2) reports that writing back has failed."""
_SYNCFS_HOLDS = {0xEF53, 0x58465342, 0x9123683E, 0xF2F52010, 0x2FC12FC1, 0x794C7630, 0x01021994}
"""ext2 to ext4, xfs, btrfs, f2fs, zfs, overlay and tmpfs (statfs(2)); elsewhere it may not reach a server's disk."""

# (file descriptor, offset, length): ask the kernel to start writing these bytes back.
Writeback = Callable[[int, int, int], None]


def early_writeback() -> Writeback:
    """sync_file_range where the C library has it, else nothing: the bytes then go out at the final sync.

    It is a hint. Its failure means nothing, because fdatasync follows and reports what went wrong.
    """
    call = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if call is None:
        return _no_writeback
    call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)

    def start(descriptor: int, offset: int, length: int) -> None:
        call(descriptor, offset, length, _SYNC_FILE_RANGE_WRITE)

    return start


def _no_writeback(descriptor: int, offset: int, length: int) -> None:
    """Nothing to ask for."""


def file_system_sync(folder: Path) -> Callable[[], None] | None:
    """What makes everything written to a folder's file system before its call durable (syncfs(2), blocking).

    `None` where that cannot be relied upon. What it returns raises OSError, also for what failed since this was called.
    """
    if _linux() < _SYNCFS_TELLS:
        return None
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    kind = ctypes.create_string_buffer(512)  # struct statfs, whose first member is a long: f_type
    if library.fstatfs(descriptor, kind) or ctypes.c_long.from_buffer(kind).value not in _SYNCFS_HOLDS:
        os.close(descriptor)
        return None

    def sync() -> None:
        if library.syncfs(descriptor):
            raise OSError(ctypes.get_errno(), f"syncfs of {folder}: {os.strerror(ctypes.get_errno())}")

    # Errors are reported to descriptors that were open when they happened: it stays open as long as it is of use.
    weakref.finalize(sync, os.close, descriptor)
    return sync


def _linux() -> tuple[int, ...]:
    """Major and minor version of the kernel; (0,) where it is another system's."""
    if platform.system() != "Linux":
        return (0,)
    numbers = platform.release().split("-")[0].split(".")[:2]
    return tuple(int(number) for number in numbers if number.isdigit())


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable (blocking)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class _Queue:
    """Who waits for a sync of one directory: tickets are numbers that only rise."""

    asked: int = 0
    done: int = 0
    syncing: bool = False
    users: int = 0


class DirectorySyncs:
    """Directory syncs shared by the threads that want the same one at the same time.

    A sync covers every ticket drawn before it began. Later ones wait for the next: theirs might have come too late.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queues: dict[Path, _Queue] = {}

    def sync(self, path: Path) -> None:
        """Return when all names that stood in the directory before this call are durable (blocking)."""
        with self._changed:
            queue = self._queues.setdefault(path, _Queue())
            queue.users += 1
            queue.asked += 1
            ticket = queue.asked
        try:
            while not self._served(queue, ticket):
                self._lead(path, queue)
        finally:
            with self._changed:
                queue.users -= 1
                if not queue.users:
                    self._queues.pop(path, None)

    def waiting(self, path: Path) -> int:
        """How many threads are in `sync` for this directory now."""
        with self._changed:
            return self._queues[path].users if path in self._queues else 0

    def _served(self, queue: _Queue, ticket: int) -> bool:
        """Wait until the ticket is covered (true) or it is this thread's turn to sync (false)."""
        with self._changed:
            self._changed.wait_for(lambda: queue.done >= ticket or not queue.syncing)
            if queue.done >= ticket:
                return True
            queue.syncing = True
            return False

    def _lead(self, path: Path, queue: _Queue) -> None:
        with self._changed:
            covered = queue.asked
        try:
            sync_directory(path)
        except BaseException:
            covered = 0  # those who wait try for themselves
            raise
        finally:
            with self._changed:
                queue.done = max(queue.done, covered)
                queue.syncing = False
                self._changed.notify_all()
