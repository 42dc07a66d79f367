"""Reading files of the data folder: never through a link, and whole files at a pace."""

import asyncio
import errno
import io
import os
import stat
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from registry.oci.digest import new_hasher
from registry.storage.blob_store import OpenedBlob, StoredBlob
from registry.storage.file_stamp import Stamp, stamp_of

PIECE = 1 << 20
_NO_FILE = {errno.ELOOP, errno.ENXIO, errno.ENOTDIR}
"""How the system says that a link or a socket is there, or that its folder is none."""


def regular_file(path: str, flags: int) -> int:
    """An opener for `open`: what is no file counts as none, and is not waited for. A link is not followed."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise _no_file(path) from None
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _no_file(path)


def _no_file(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "something else is in the file's place", path)


def open_blob(path: Path) -> io.FileIO:
    """A file of ours, for reading. Raises FileNotFoundError also where something else is in its place."""
    return io.FileIO(path, "rb", opener=regular_file)


@dataclass(frozen=True, slots=True)
class StoredFile(StoredBlob):
    """A blob that is a file."""

    path: Path

    def still_there(self) -> bool:
        """Whether its file is as it was looked at."""
        try:
            found = self.path.lstat()
        except OSError:
            return False
        return found.st_size == self.size if self.stamp is None else stamp_of(found) == self.stamp

    def open(self) -> OpenedBlob:
        """Its file, opened."""
        return open_file(self.path)


def open_file(path: Path) -> OpenedBlob:
    """A file of ours behind a descriptor of its own. Raises FileNotFoundError also where something else is there."""
    descriptor = regular_file(str(path), os.O_RDONLY)
    return OpenedBlob(descriptor, stamp_of(os.fstat(descriptor)))


async def read_while_same(
    path: Path, stamp: Stamp, start: int, length: int, pool: Executor
) -> AsyncGenerator[bytes, None]:
    """The bytes `[start, start + length)` of a file in pieces of at most 1 MiB, as long as they can be read.

    None of them where the file has another stamp, or has gone.
    """
    run = partial(asyncio.get_running_loop().run_in_executor, pool)
    with suppress(OSError):
        opened = await run(open_file, path)
        try:
            while opened.stamp == stamp and length > 0:
                piece = await run(os.pread, opened.descriptor, min(PIECE, length), start)
                if not piece:
                    return
                yield piece
                start, length = start + len(piece), length - len(piece)
        finally:
            os.close(opened.descriptor)


def hash_file(
    path: Path, algorithm: str, pace: Callable[[int], None] = lambda _bytes: None, *, from_disk: bool = False
) -> tuple[str, Stamp] | None:
    """The hexadecimal digest of a whole file and the file's stamp, or `None` when there is none (blocking).

    Args:
        path: the file.
        algorithm: sha256 or sha512.
        pace: told of the bytes after each piece; may take its time.
        from_disk: read what the disk holds and not what memory does, and leave memory as it was.
    """
    hasher, buffer = new_hasher(algorithm), memoryview(bytearray(PIECE))
    try:
        with open_blob(path) as file:
            stamp = stamp_of(os.fstat(file.fileno()))
            if from_disk:
                _forget_pages(file.fileno())
            while count := file.readinto(buffer):
                hasher.update(buffer[:count])
                pace(count)
            if from_disk:
                _forget_pages(file.fileno())
    except FileNotFoundError:
        return None
    return hasher.hexdigest(), stamp


def _forget_pages(descriptor: int) -> None:
    with suppress(OSError):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
