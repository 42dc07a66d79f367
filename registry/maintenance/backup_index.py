"""The index of a backup folder: written last, it makes the backup valid.

backup.json                              the index
set-<milliseconds>/                      the rows, and the small files of the data folder
blobs/<algorithm>/<two hex digits>/<hex> every blob that the rows name
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from registry.errors import BasegateError
from registry.storage.disk.atomic_file import replace_file

FILE = "backup.json"
FORMAT = "basegate backup 1"


class BackupRefused(BasegateError):
    """A folder is no backup, or cannot be used for one."""


@dataclass(frozen=True, slots=True)
class BackupIndex:
    """One backup.

    Attributes:
        store: id of the store.
        made: when the snapshot was taken, in seconds since the epoch.
        folder: name of the folder of its set.
        files: sha256 of every file in the set, by path.
        blobs: number of blobs.
        bytes: size of these blobs.
        missing: named blobs that were missing or damaged.
    """

    store: str
    made: float
    folder: str
    files: dict[str, str]
    blobs: int
    bytes: int
    missing: list[str]


def read_index(folder: Path) -> BackupIndex:
    """The index of a backup folder.

    Raises:
        BackupRefused: there is none, or it cannot be read.
    """
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if document.pop("format") != FORMAT:
            raise BackupRefused(f"{folder / FILE} is of another format, needed is {FORMAT!r}: use a newer basegate")
        return BackupIndex(**document)
    except FileNotFoundError:
        raise BackupRefused(f"{folder} holds no whole backup: {FILE} is missing: name another folder") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupRefused(f"{folder / FILE} cannot be read ({error}): use another backup") from None


def write_index(folder: Path, index: BackupIndex) -> None:
    """Write the index, durably."""
    document = {"format": FORMAT, **asdict(index)}
    replace_file(folder / FILE, json.dumps(document, indent=2).encode())


def sum_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_set(folder: Path, index: BackupIndex) -> Path:
    """The folder of the set, after checking its files.

    Raises:
        BackupRefused: one is missing or differs.
    """
    part = folder / index.folder
    for name, wanted in index.files.items():
        path = part / name
        if not path.is_file() or sum_of(path) != wanted:
            raise BackupRefused(f"{path} is missing or damaged: use another backup")
    return part
