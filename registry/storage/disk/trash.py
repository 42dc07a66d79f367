"""Files of blobs that were collected, for as long as that can be undone: trash/<algorithm>-<hex>."""

import os
from collections.abc import Iterator

from registry.oci.digest import ENCODED_LENGTH, Digest
from registry.storage.disk.directories import Directories
from registry.storage.disk.layout import Layout
from registry.storage.disk.reading import PIECE, hash_file, open_blob


class DiskTrash:
    """Blobs that are on their way out; see `registry.storage.blob_store.Trash`.

    Args:
        layout: prepared.
        shelves: where they come back to.
    """

    def __init__(self, layout: Layout, shelves: Directories) -> None:
        self._layout = layout
        self._shelves = shelves

    def recover(self, digest: Digest) -> bool:
        """Bring a blob back, if it is here and sound."""
        aside, target = self._layout.trashed(digest), self._layout.blob(digest)
        found = hash_file(aside, digest.algorithm)
        if found is None or found[0] != digest.encoded:
            return False
        target.parent.mkdir(exist_ok=True)
        os.utime(aside)  # young again: its rows may come a moment later
        self._shelves.bring_back(aside, target)
        return True

    def empty(self, before: float) -> int:
        """Remove what came here before a time (seconds since the epoch); returns how many files."""
        old = [path for path in self._layout.trash.iterdir() if path.lstat().st_ctime < before]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def kept(self) -> Iterator[Digest]:
        """By the names of the files."""
        for path in sorted(self._layout.trash.iterdir()):
            algorithm, _, encoded = path.name.partition("-")
            if len(encoded) == ENCODED_LENGTH.get(algorithm):
                yield Digest(f"{algorithm}:{encoded}")

    def read(self, digest: Digest) -> Iterator[bytes]:
        """From the file."""
        with open_blob(self._layout.trashed(digest)) as file:
            while piece := file.read(PIECE):
                yield piece
