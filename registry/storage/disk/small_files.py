"""Small content on its way into files: synced at once, or left to a sync of the whole file system later.

What is not synced never takes the place of another file, whose bytes may be durable: it gets its name by link(2),
which fails where a file is, and not by rename(2).
"""

import errno
import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from registry.oci.digest import Digest
from registry.storage.blob_store import StoredBlob
from registry.storage.disk.directories import Directories
from registry.storage.disk.errors import disk_refusals
from registry.storage.disk.layout import Layout
from registry.storage.disk.reading import StoredFile, open_blob

_NO_SECOND_NAMES = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""How a file system says that a file has one name there (link(2))."""


class SmallFiles:
    """Writes small content under its digest, which the caller has checked. All methods block.

    Args:
        layout: prepared.
        shelves: the folders that blobs stand in.
        sync_all: makes every file written before its call durable, or `None` where nothing does so reliably.
    """

    def __init__(self, layout: Layout, shelves: Directories, sync_all: Callable[[], None] | None) -> None:
        self._layout = layout
        self._blobs, self._incoming = str(layout.blobs), str(layout.incoming)
        self._shelves = shelves
        self.sync_all = sync_all

    def store(self, digest: Digest, content: bytes) -> StoredBlob:
        """Write beside, sync, rename, sync the folder: durable when this returns. Raises OSError."""
        temporary = self._layout.incoming / str(uuid.uuid4())
        modified = time.time()
        try:
            _write(temporary, content, synced=True)
            target = self._shelves.place(temporary, digest)
        finally:
            temporary.unlink(missing_ok=True)
        return StoredFile(digest, len(content), target, modified)

    def write(self, digest: Digest, content: bytes) -> StoredBlob:
        """Have a whole file of these bytes, as young as now, which a power failure may still take.

        To be called inside the metadata transaction that keeps the bytes as well: files are removed inside one too.
        A file that has these bytes stays as it is, since it may be durable already; only its age starts again.

        Raises:
            Unavailable: the disk refuses.
        """
        # Strings, not paths: the one thread that writes rows spends its time here.
        algorithm, _, encoded = digest.partition(":")
        target = f"{self._blobs}/{algorithm}/{encoded[:2]}/{encoded}"
        with disk_refusals():
            try:
                self._add(encoded, target, content)
            except OSError as error:
                if error.errno not in {errno.EEXIST, *_NO_SECOND_NAMES}:
                    raise
                self._keep(target, digest, content)
        return StoredFile(digest, len(content), Path(target), time.time())

    def restore(self, digest: Digest, content: bytes) -> bool:
        """`write` in the place of a missing or damaged file; `False` when the file has these bytes."""
        if self.holds(digest, content):
            return False
        # Nobody relies on what is damaged, and replacing thousands of files durably would take minutes.
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._layout.blob(digest).unlink()
        self.write(digest, content)
        return True

    def holds(self, digest: Digest, content: bytes) -> bool:
        """Whether the blob's file has exactly these bytes; what cannot be read does not."""
        path = self._layout.blob(digest)
        try:
            with open_blob(path) as file:
                return os.fstat(file.fileno()).st_size == len(content) and file.readall() == content
        except OSError:
            return False

    def _add(self, name: str, target: str, content: bytes) -> None:
        temporary = f"{self._incoming}/{name}"
        try:
            try:
                _write(temporary, content, synced=False)
            except FileExistsError:  # of a process that was killed, since nobody else writes now
                _remove(temporary)
                _write(temporary, content, synced=False)
            self._shelves.add(temporary, target)
        finally:
            _remove(temporary)

    def _keep(self, target: str, digest: Digest, content: bytes) -> None:
        """There is a file already, or it can have one name only: what replaces it must be durable."""
        if self.holds(digest, content):
            os.utime(target)
        else:
            self.store(digest, content)


def _write(path: Path | str, content: bytes, *, synced: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        if synced:
            os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108  no Path for this alone
