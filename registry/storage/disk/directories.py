"""The folders that hold blobs, made when the first blob of their prefix comes."""

import os
from collections.abc import Iterator
from pathlib import Path

from registry.oci.digest import ENCODED_LENGTH, Digest
from registry.storage.disk.fsync import DirectorySyncs, sync_directory
from registry.storage.disk.layout import Layout
from registry.storage.disk.stray import clear_folder, clear_place


class Directories:
    """Gives complete bytes their name.

    Args:
        layout: prepared.
        syncs: shared with everybody who syncs folders of this store.
    """

    def __init__(self, layout: Layout, syncs: DirectorySyncs) -> None:
        self._layout = layout
        self._syncs = syncs
        # A folder may be the work of a process that died before the folder's name was durable: one sync covers all.
        self._durable = {folder for _, folder in self.folders()}
        for algorithm in ENCODED_LENGTH:
            sync_directory(layout.blobs / algorithm)

    def folders(self) -> Iterator[tuple[str, Path]]:
        """Every folder that holds blobs, with its algorithm (blocking)."""
        for algorithm in ENCODED_LENGTH:
            for folder in sorted((self._layout.blobs / algorithm).iterdir()):
                if folder.is_dir():
                    yield algorithm, folder

    def all(self) -> list[Path]:
        """Every folder that holds blobs, in the order of their digests (blocking)."""
        return [folder for _, folder in self.folders()]

    def place(self, path: Path, digest: Digest) -> Path:
        """Move a complete, synced file to where its blob belongs, durably (blocking); returns its new path."""
        target = self._layout.blob(digest)
        folder = target.parent
        if folder not in self._durable:
            clear_folder(folder, self._layout.quarantine)
            folder.mkdir(exist_ok=True)
            self._syncs.sync(folder.parent)
            self._durable.add(folder)
        try:
            path.rename(target)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._clear(target)
            self._syncs.sync(folder.parent)
            path.rename(target)
        self._syncs.sync(folder)
        return target

    def add(self, path: str, target: str) -> None:
        """Give a complete file its blob's name as well, if no other file has it; nothing is synced (blocking).

        Raises:
            FileExistsError: one has.
        """
        try:
            os.link(path, target)
        except (FileNotFoundError, NotADirectoryError):
            self._clear(Path(target))
            os.link(path, target)
        except FileExistsError:
            if not clear_place(Path(target), self._layout.quarantine):
                raise
            os.link(path, target)

    def _clear(self, target: Path) -> None:
        """Make the place of a blob ready: somebody may have removed its folder, or put something there."""
        clear_folder(target.parent, self._layout.quarantine)
        target.parent.mkdir(exist_ok=True)
        clear_place(target, self._layout.quarantine)

    def bring_back(self, aside: Path, target: Path) -> None:
        """Move a blob's file back to its name, durably, unless another has it by now (blocking)."""
        try:
            self.add(str(aside), str(target))
            aside.unlink()
        except FileExistsError:
            aside.unlink()
        except OSError:  # a file system on which a file has one name: the other has the same bytes
            aside.rename(target)
        self._syncs.sync(target.parent)


def folder_of(folder: Path) -> list[Digest]:
    """The blobs in one folder in the order of their digests; what is named otherwise is not one (blocking)."""
    algorithm = folder.parent.name
    length = ENCODED_LENGTH[algorithm]
    return [Digest(f"{algorithm}:{path.name}") for path in sorted(folder.iterdir()) if len(path.name) == length]
