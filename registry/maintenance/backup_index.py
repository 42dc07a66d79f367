"""The index of a backup folder: written last, it makes the backup count.

backup.json                              this index
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
    """A folder is no backup, or is not fit for one."""


@dataclass(frozen=True, slots=True)
class BackupIndex:
    """One backup.

    Attributes:
        store: id of the store it was taken of.
        made: seconds since the epoch: the rows are those of this moment.
        folder: name of the folder of its set.
        files: sha256 of every file in the set, by its path there.
        blobs: how many there are.
        bytes: of these blobs.
        missing: blobs that rows name and that were missing or damaged when it was made.
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
        BackupRefused: it has none, or one that cannot be read.
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
    """Make a backup count, durably."""
    document = {"format": FORMAT, **asdict(index)}
    replace_file(folder / FILE, json.dumps(document, indent=2).encode())


def sum_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_set(folder: Path, index: BackupIndex) -> Path:
    """The folder of the set, whose files are as they were written.

    Raises:
        BackupRefused: one is missing or differs.
    """
    found = folder / index.folder
    for name, wanted in index.files.items():
        path = found / name
        if not path.is_file() or sum_of(path) != wanted:
            raise BackupRefused(f"{path} is missing or damaged: use another backup")
    return found
