"""Blobs that are bytes in memory."""

import os
import threading
import time
from dataclasses import dataclass, field
from itertools import count

from registry.oci.digest import Digest
from registry.storage.blob_store import OpenedBlob, StoredBlob
from registry.storage.file_stamp import Stamp


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes under a name; two that were stored apart are not the same, whatever is in them."""

    raw: bytes
    stamp: Stamp

    @property
    def modified(self) -> float:
        """Seconds since the epoch of its commit."""
        return self.stamp.modified / 1e9


class Contents:
    """The blobs, shared by the store's parts; `lock` is held by whoever changes them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.blobs: dict[Digest, Content] = {}
        self.trash: dict[Digest, tuple[float, Content]] = {}
        self._numbers = count(1)

    def add(self, digest: Digest, raw: bytes) -> "MemoryBlob":
        """Store bytes, in the place of any that have the name."""
        now = time.time_ns()
        found = Content(raw, Stamp(next(self._numbers), len(raw), now, now))
        self.blobs[digest] = found
        return MemoryBlob.stored(digest, found, self)


@dataclass(frozen=True, slots=True)
class MemoryBlob(StoredBlob):
    """A blob that is bytes."""

    contents: Contents = field(kw_only=True, compare=False, repr=False)

    @classmethod
    def stored(cls, digest: Digest, found: Content, contents: Contents) -> "MemoryBlob":
        """What was just stored: it is there as long as its digest is, whatever is stored under that meanwhile."""
        return cls(digest, len(found.raw), None, found.modified, contents=contents)

    @classmethod
    def of(cls, digest: Digest, found: Content, contents: Contents) -> "MemoryBlob":
        """What is told of some content."""
        return cls(digest, len(found.raw), None, found.modified, found.stamp, contents=contents)

    def still_there(self) -> bool:
        """Whether its name has bytes, and those that were looked at."""
        found = self.contents.blobs.get(self.digest)
        return found is not None and self.stamp in {None, found.stamp}

    def open(self) -> OpenedBlob:
        """A copy in a file without a name (memfd_create(2))."""
        found = self.contents.blobs.get(self.digest)
        if found is None:
            raise FileNotFoundError(2, "No such file or directory", self.digest)
        descriptor = os.memfd_create(self.digest)
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(found.raw)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return OpenedBlob(descriptor, found.stamp)
