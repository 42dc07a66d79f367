"""Where things are in a data folder, and making it ready.

    blobs/<algorithm>/<first two hex digits>/<hex>   one file for each blob, read-only
    uploads/<uuid>/data                              bytes of an upload in progress that a later process can go on with
    uploads/<uuid>/session.json                      what it was opened with
    uploads/<uuid>/last.json                         of its last request: bytes before it, and the digest of all
    incoming/<uuid>                                  content that comes in one go, on its way to blobs/
    discarded/<hex>.<uuid>                           a blob that is being removed, for a moment
    quarantine/<algorithm>-<hex>                     damaged content (`registry.storage.disk.quarantine`)
    trash/<algorithm>-<hex>                          what was collected, for as long as that can be undone
    cache/<algorithm>-<hex>.<uuid>                   with blobs in an object store: copies of some
    layout                                           "basegate storage 1": the folders above are durably there

All are on one file system: a rename is what makes a blob visible.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from registry.errors import BasegateError
from registry.oci.digest import ENCODED_LENGTH, Digest
from registry.storage.disk.atomic_file import replace_file
from registry.storage.disk.fsync import sync_directory

PASSAGE_SECONDS = 3600.0
MARK = b"basegate storage 1\n"
OBJECTS = b"basegate objects 1 "
"""What the mark begins with where blobs are in an object store, whose URL follows."""


class LayoutUnknown(BasegateError):
    """The folder was written by a basegate that lays things out in another way."""


class LinkPlanted(BasegateError):
    """A link stands where a folder of the registry belongs."""


@dataclass(frozen=True)
class Layout:
    """The places under one root."""

    root: Path

    def blob(self, digest: Digest) -> Path:
        """The file of a blob."""
        algorithm, _, encoded = digest.partition(":")
        return self.root.joinpath("blobs", algorithm, encoded[:2], encoded)  # piece by piece takes twice as long

    @property
    def blobs(self) -> Path:
        """The folder of all blobs, one folder for each algorithm in it."""
        return self.root / "blobs"

    @property
    def uploads(self) -> Path:
        """The folder of uploads in progress."""
        return self.root / "uploads"

    @property
    def incoming(self) -> Path:
        """The folder of small content on its way."""
        return self.root / "incoming"

    @property
    def discarded(self) -> Path:
        """The folder of blobs that are being removed."""
        return self.root / "discarded"

    @property
    def quarantine(self) -> Path:
        """The folder of damaged content."""
        return self.root / "quarantine"

    @property
    def trash(self) -> Path:
        """The folder of blobs that were collected and can be brought back."""
        return self.root / "trash"

    @property
    def cache(self) -> Path:
        """The folder for copies of blobs that are kept elsewhere; made when there are any."""
        return self.root / "cache"

    def trashed(self, digest: Digest) -> Path:
        """Where a blob is after it was collected, for as long as that can be undone."""
        return self.trash / f"{digest.algorithm}-{digest.encoded}"

    @property
    def keeps_objects(self) -> bool:
        """Whether the blobs are in an object store."""
        mark = self.root / "layout"
        return mark.is_file() and mark.read_bytes().startswith(OBJECTS)

    def prepare(self, wanted: bytes = MARK) -> None:
        """Make every folder, durably, and then the mark; a root that bears the mark costs one read.

        `wanted`: the mark.

        Raises:
            LayoutUnknown: the mark is that of another layout.
            LinkPlanted: a folder is a link.
        """
        self._refuse_links()
        mark = self.root / "layout"
        if mark.exists():
            found = mark.read_bytes()
            if found != wanted:
                raise LayoutUnknown(_other(self.root, found, wanted))
            self._make_missing()
            self._sweep()
            return
        self._make_folders()
        replace_file(mark, wanted, 0o666, draft=self.incoming / f"layout.{os.getpid()}")
        sync_directory(self.root.parent)

    def _refuse_links(self) -> None:
        """Whoever can plant a link here could have files elsewhere read, written and handed out."""
        for folder in (self.blobs, self.cache, *self._folders(), *self.blobs.glob("*/*")):
            if folder.is_symlink():
                raise LinkPlanted(
                    f"{folder} is a link: folders of a registry are on one file system: put the folder itself there, "
                    "or name its data folder with --data"
                )

    def _make_missing(self) -> None:
        """Make what is missing: copies of a folder often come without the folders that were empty."""
        if not all(folder.is_dir() for folder in self._folders()):
            self._make_folders()

    def _sweep(self) -> None:
        """Remove what a killed process left in the passages; no living one takes that long."""
        old = time.time() - PASSAGE_SECONDS
        for folder in (self.incoming, self.discarded):
            for path in folder.iterdir():
                with suppress(FileNotFoundError):
                    if path.stat().st_ctime < old:
                        path.unlink()

    def _folders(self) -> list[Path]:
        passages = [self.uploads, self.incoming, self.discarded, self.quarantine, self.trash]
        return [*passages, *(self.blobs / name for name in ENCODED_LENGTH)]

    def _make_folders(self) -> None:
        for folder in self._folders():
            folder.mkdir(parents=True, exist_ok=True)
        sync_directory(self.blobs)


def _other(root: Path, found: bytes, wanted: bytes) -> str:
    """What to do about a folder that is laid out in another way."""
    if found.startswith(OBJECTS):
        where = found.removeprefix(OBJECTS).decode("utf-8", "replace").strip()
        return f"{root} keeps its blobs in {where[:200]}: name that in storage.url, or ask a running server (HOST:PORT)"
    if found == MARK and wanted.startswith(OBJECTS):
        return (
            f"{root} keeps its blobs as files, and storage.url names an object store: use another data folder for it, "
            "or move them with `basegate migrate`"
        )
    return f"{root} has storage layout {found[:40]!r}, needed is {wanted[:200]!r}: use the basegate that wrote it"
