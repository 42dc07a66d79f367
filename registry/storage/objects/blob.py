"""A blob that is an object of a store."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from registry.oci.errors import OciError
from registry.storage.blob_store import OpenedBlob, StoredBlob
from registry.storage.disk.blob_cache import BlobCache
from registry.storage.disk.reading import open_file
from registry.storage.file_stamp import Stamp
from registry.storage.objects.bucket import Bucket
from registry.storage.objects.locations import KnownLocations, Location, folder_of, live, read_listing


class Finder:
    """Asks the store where blobs are, blocking.

    Args:
        bucket: the store.
        known: told of every answer.
        scratch: a folder for files without a name.
        cache: copies of blobs.
    """

    def __init__(self, bucket: Bucket, known: KnownLocations, scratch: Path, cache: BlobCache) -> None:
        self.bucket = bucket
        self.known = known
        self.scratch = scratch
        self.cache = cache

    def open(self, location: Location) -> OpenedBlob:
        """The bytes of an object: its copy, or a file without a name. Raises OSError."""
        copy = self.cache.find(location.digest)
        if copy is not None:
            with suppress(OSError):
                return open_file(copy[0])._replace(discard=partial(self.cache.forget, location.digest))
        with tempfile.TemporaryFile(dir=self.scratch, buffering=0) as file:
            try:
                self.bucket.download(location.key, file)
            except OciError as error:
                raise OSError(str(error)) from error
            descriptor = os.dup(file.fileno())
        os.lseek(descriptor, 0, os.SEEK_SET)
        return OpenedBlob(descriptor, location.stamp)

    def look(self, location: Location) -> Location | None:
        """The newest location of the blob that the store has now."""
        locations = live(read_listing(self.bucket.listed(folder_of(location.digest))))
        return locations[-1] if locations else None


@dataclass(frozen=True, slots=True)
class StoredObject(StoredBlob):
    """A blob that is an object.

    Attributes:
        location: which.
        finder: asks the store.
        asks: whether `still_there` asks the store; else it tells what is remembered, at once.
    """

    location: Location = field(kw_only=True)
    finder: Finder = field(kw_only=True, compare=False, repr=False)
    asks: bool = field(kw_only=True, default=True, compare=False)

    @classmethod
    def stored(cls, location: Location, finder: Finder) -> "StoredObject":
        """What was just stored: it is there as long as its object is, whatever is stored beside it meanwhile."""
        return cls(location.digest, location.size, None, location.modified, location=location, finder=finder)

    @classmethod
    def at_hand(cls, location: Location, finder: Finder) -> "StoredObject":
        """What memory has told of, with its copy if there is one."""
        found, copy = cls.found(location, finder, asks=False), finder.cache.find(location.digest)
        if copy is None:
            return found
        return CopiedObject(
            location.digest,
            location.size,
            copy[0],
            location.modified,
            location.stamp,
            location=location,
            finder=finder,
            asks=False,
            copied=copy[1],
        )

    @classmethod
    def found(cls, location: Location, finder: Finder, *, asks: bool = True) -> "StoredObject":
        """What the store, or memory, has told of."""
        stamp = location.stamp
        return cls(
            location.digest, location.size, None, location.modified, stamp, location=location, finder=finder, asks=asks
        )

    def still_there(self) -> bool:
        """Whether its object is there, has its size, and counts if it did."""
        known = self.finder.known.get(self.digest)
        if self.stamp is not None and known is not None and known.version != self.location.version:
            return False
        if not self.asks:
            return known is not None
        try:
            return self.finder.bucket.head(self.location.key).size == self.size
        except FileNotFoundError:
            return False

    def open(self) -> OpenedBlob:
        """A copy in a file without a name; of another object of the digest, where this one has gone."""
        try:
            return self.finder.open(self.location)
        except FileNotFoundError:
            other = self.finder.look(self.location)
            if other is None:
                self.finder.known.forget(self.digest)
                raise
            return self.finder.open(other)


@dataclass(frozen=True, slots=True)
class CopiedObject(StoredObject):
    """One that has a copy in a file here.

    Attributes:
        copied: the stamp of that file.
    """

    copied: Stamp = field(kw_only=True, compare=False)

    @property
    def path_stamp(self) -> Stamp:
        """That of the copy."""
        return self.copied

    @property
    def is_copied(self) -> bool:
        """It is."""
        return True

    def used(self) -> None:
        """Keep the copy longer than others."""
        self.finder.cache.touch(self.digest)
