"""Damaged content in an object store: what is withheld is noted in the data folder, the objects stay where they are.

A store that sent wrong bytes once may have the right ones. So nothing is removed: the version that is not to be trusted
is written into the note, and another version, which a push makes, heals.

    quarantine/<algorithm>-<hex>    the damaged version; empty for a blob that is missing
"""

from contextlib import suppress

from registry.oci.digest import Digest
from registry.storage.disk.layout import Layout
from registry.storage.disk.quarantine import DiskQuarantine
from registry.storage.file_stamp import Stamp
from registry.storage.objects.blob import Finder
from registry.storage.objects.locations import Location, folder_of, live, read_listing


class ObjectQuarantine(DiskQuarantine):
    """See `registry.storage.blob_store.Quarantine`; notes of manifests are those of a disk.

    Args:
        layout: prepared.
        finder: asks the store where blobs are.
    """

    def __init__(self, layout: Layout, finder: Finder) -> None:
        self._finder = finder
        super().__init__(layout)

    def set_aside(self, digest: Digest, seen: Stamp, reason: str) -> bool:
        """Note the version that was seen, unless another counts by now."""
        self._finder.cache.forget(digest)
        location = self._finder.known.get(digest)
        if location is None:
            found = live(read_listing(self._finder.bucket.listed(folder_of(digest))))
            location = self.newest(digest, found)
        if location is None or location.stamp.file != seen.file:
            return False
        self._place(digest).write_text(location.version, encoding="ascii")
        self._finder.known.forget(digest)
        self._tell(digest, reason)
        return True

    def newest(self, digest: Digest, locations: list[Location]) -> Location | None:
        """The newest of a blob's locations that is not damaged."""
        damaged = self.damaged_version(digest) if locations else ""
        return next((location for location in reversed(locations) if location.version != damaged), None)

    def damaged_version(self, digest: Digest) -> str:
        """The version that is withheld; "" for none."""
        with suppress(OSError):
            return self._place(digest).read_text(encoding="ascii")
        return ""

    def _is_there(self, digest: Digest) -> bool:
        return self._finder.known.get(digest) is not None
