"""Switching over: what the data folder had goes aside, what was made beside it takes its place.

    DATA/migrating/          what is made until then, laid out as a data folder
    DATA/migration.json      from the moment on that the move counts until it is carried out
    DATA/before-…/           what the folder had: nothing is removed

Every step can be repeated. While the file is there, no server and no command opens the folder; whoever runs the
migration again carries out what is left.
"""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from registry.metadata.elsewhere import MARK as ROWS_MARK
from registry.metadata.elsewhere import MIGRATION
from registry.metadata.open_store import FILE_NAME
from registry.storage.disk.atomic_file import replace_file
from registry.storage.disk.fsync import sync_directory

DRAFT = "migrating"
BLOB_FILES = ("layout", "blobs", "quarantine", "trash", "cache")
"""What a data folder holds of blobs, wherever they are."""
ROW_FILES = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", "copy", ROWS_MARK)
"""Likewise of rows."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One move that counts.

    Attributes:
        store: id of the store that moves.
        aside: name of the folder for what the data folder had.
        old: the names that go there.
        new: the names that take their places.
    """

    store: str
    aside: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    @classmethod
    def planned(cls, data: Path, store: str, names: Sequence[str]) -> Self:
        """Of those names that are there now."""
        aside = time.strftime("before-%Y%m%dT%H%M%SZ", time.gmtime())
        old = tuple(name for name in names if (data / name).exists())
        return cls(store, aside, old, tuple(name for name in names if (data / DRAFT / name).exists()))

    @classmethod
    def begun(cls, data: Path) -> Self | None:
        """That which was begun in a folder, if any."""
        try:
            found = json.loads((data / MIGRATION).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(found["store"], found["aside"], tuple(found["old"]), tuple(found["new"]))

    def begin(self, data: Path) -> None:
        """Note it, durably: from here on the folder is not opened by anybody."""
        sync_directory(data / DRAFT)  # what was made is there before the move counts
        replace_file(data / MIGRATION, json.dumps(asdict(self)).encode())

    def carry_out(self, data: Path) -> None:
        """Change names, and end it."""
        aside = data / self.aside
        aside.mkdir(mode=0o700, exist_ok=True)
        for name in self.old:
            if (data / name).exists() and not (aside / name).exists():
                (data / name).rename(aside / name)
        sync_directory(aside)
        for name in self.new:
            if (data / DRAFT / name).exists():
                (data / DRAFT / name).rename(data / name)
        sync_directory(data)
        shutil.rmtree(data / DRAFT, ignore_errors=True)
        take_back(data)


def take_back(data: Path) -> None:
    """The folder can be opened again."""
    (data / MIGRATION).unlink(missing_ok=True)
    sync_directory(data)
