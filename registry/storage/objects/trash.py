"""Blobs in the trash of an object store: their objects stay where they are, with an empty one beside that says so."""

import os
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

from registry.oci.digest import Digest, new_hasher
from registry.storage.objects.blob import Finder
from registry.storage.objects.locations import (
    ROOT,
    TRASHED,
    Found,
    Location,
    folder_of,
    live,
    new_location,
    read_listing,
)

_REPLACED_SECONDS = 3600.0
"""How long an object stays that a newer one of the same digest has replaced: somebody may be reading it."""


class ObjectTrash:
    """See `registry.storage.blob_store.Trash`.

    Args:
        finder: asks the store where blobs are.
    """

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._bucket = finder.bucket

    def add(self, locations: list[Location]) -> None:
        """Mark what was collected."""
        for location in locations:
            self._bucket.put(location.key + TRASHED, b"")

    def recover(self, digest: Digest) -> bool:
        """Read what is in the trash, and store it anew: so it is sound, and young."""
        found = list(read_listing(self._bucket.listed(folder_of(digest))))
        for location in _removed(found):
            if self._store_again(location):
                self._remove([each.location for each in found if each.trashed])
                return True
        return False

    def kept(self) -> Iterator[Digest]:
        """By their marks; walks all that the store holds."""
        for digest, found in groupby(read_listing(self._bucket.listed(ROOT)), key=lambda each: each.location.digest):
            if _removed(list(found)):
                yield digest

    def read(self, digest: Digest) -> Iterator[bytes]:
        """Of the newest object that was removed."""
        locations = _removed(list(read_listing(self._bucket.listed(folder_of(digest)))))
        if not locations:
            raise FileNotFoundError(digest)
        yield from self._bucket.pieces(locations[0].key)

    def _store_again(self, location: Location) -> bool:
        descriptor, name = tempfile.mkstemp(dir=self._finder.scratch)
        try:
            hasher = new_hasher(location.digest.algorithm)
            with os.fdopen(descriptor, "wb") as file:
                for piece in self._bucket.pieces(location.key):
                    hasher.update(piece)
                    file.write(piece)
            if hasher.hexdigest() != location.digest.encoded:
                return False
            fresh = new_location(location.digest, Path(name).stat().st_size)
            self._bucket.put_file(fresh.key, Path(name), fresh.size)
        except FileNotFoundError:
            return False
        finally:
            Path(name).unlink()
        self._finder.known.put(fresh)
        return True

    def empty(self, before: float) -> int:
        """Remove what came here before a time, and what newer objects have replaced; how many blobs came out.

        Walks all that the store holds.
        """
        count = 0
        objects = read_listing(self._bucket.listed(ROOT))
        for _, group in groupby(objects, key=lambda found: found.location.digest):
            found = list(group)
            old = [each.location for each in found if each.trashed and _marked(each, found) < before]
            self._remove(old)
            count += bool(old)
            self._remove(_replaced(live(found)))
        return count

    def _remove(self, locations: list[Location]) -> None:
        # The mark goes last: without it the object would count.
        self._bucket.delete([name for location in locations for name in (location.key, location.key + TRASHED)])


def _removed(found: list[Found]) -> list[Location]:
    """The objects whose marks are there too, the newest first."""
    marked = {each.location.version for each in found if each.trashed}
    locations = [each.location for each in found if not each.trashed and each.location.version in marked]
    return sorted(locations, key=lambda each: each.version, reverse=True)


def _marked(mark: Found, found: list[Found]) -> float:
    """When a mark was made: its own time, which is never before that of what it marks."""
    bytes_of = [
        each.location.modified for each in found if not each.trashed and each.location.version == mark.location.version
    ]
    return max([mark.location.modified, *bytes_of])


def _replaced(locations: list[Location]) -> list[Location]:
    return [older for older, newer in pairwise(locations) if newer.modified < time.time() - _REPLACED_SECONDS]
