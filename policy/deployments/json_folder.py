"""A folder of small JSON files, one for each thing, all of them in memory; each is replaced as a whole, durably."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from registry.errors import BasegateError, reason_of
from registry.storage.disk.atomic_file import replace_file
from registry.storage.disk.fsync import sync_directory

T = TypeVar("T")
_ENDING = ".json"


class RecordsUnreadable(BasegateError):
    """A file is not what was written into it; the message says which, and what to do."""


class JsonFolder(Generic[T]):
    """Things by the names of their files.

    Args:
        path: the folder; made when something is first put in it.
        read: makes a thing of a file's document.

    Raises:
        RecordsUnreadable: a file holds something else.
        OSError: the folder cannot be read.
    """

    def __init__(self, path: Path, read: Callable[[Mapping[str, Any]], T]) -> None:
        self._path = path
        files = sorted(path.glob(f"[!.]*{_ENDING}")) if path.is_dir() else []
        self._things = {file.stem: _read(file, read) for file in files}

    def get(self, name: str) -> T | None:
        """The thing of a name."""
        return self._things.get(name)

    def all(self) -> dict[str, T]:
        """Every thing there is."""
        return dict(self._things)

    def put(self, name: str, thing: T, document: Mapping[str, Any]) -> None:
        """Keep a thing from now on; it is on the disk when this returns (blocking)."""
        if not self._path.is_dir():
            self._path.mkdir(mode=0o700, parents=True)
            sync_directory(self._path.parent)
        replace_file(self._path / f"{name}{_ENDING}", json.dumps(document, indent=1).encode())
        self._things[name] = thing

    def remove(self, name: str) -> None:
        """Keep it no longer (blocking)."""
        (self._path / f"{name}{_ENDING}").unlink(missing_ok=True)
        sync_directory(self._path)
        self._things.pop(name, None)


def _read(file: Path, read: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        return read(json.loads(file.read_bytes()))
    except (ValueError, KeyError, TypeError, BasegateError) as error:
        raise RecordsUnreadable(
            f"{file} cannot be read ({reason_of(error)}): put it back from a backup, or remove it"
        ) from error
