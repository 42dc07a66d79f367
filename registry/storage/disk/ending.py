"""What is noted, beside a kept upload, of the request that ends it: so that a later process can read what was left.

It is written without a sync: a process that is killed leaves it, and nothing that was acknowledged depends on it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from registry.oci.digest import Digest
from registry.storage.disk.atomic_file import replace_file
from registry.storage.disk.reading import open_blob

FILE = "last.json"


@dataclass(frozen=True, slots=True)
class Ending:
    """One such note.

    Attributes:
        size: bytes before the request; those behind them are taken back unless the upload was committed.
        digest: what the request says that all bytes have.
        checked: whether they have it. Only then is an upload without bytes one that was committed: the note may not
            open a blob to whoever has only named it.
    """

    size: int
    digest: Digest
    checked: bool = False


def read_ending(folder: Path) -> Ending | None:
    """The note in an upload's folder, if any.

    Raises:
        ValueError, TypeError, KeyError, DigestInvalid: it is torn.
    """
    try:
        with open_blob(folder / FILE) as file:
            noted = json.loads(file.readall())
    except FileNotFoundError:
        return None
    return Ending(int(noted["size"]), Digest.parse(noted["digest"]), noted["checked"] is True)


def write_ending(folder: Path, ending: Ending | None) -> None:
    """Put a note in the place of another one, or remove it."""
    path = folder / FILE
    fresh = path.with_suffix(".new")
    if ending is None:
        path.unlink(missing_ok=True)
        fresh.unlink(missing_ok=True)
        return
    replace_file(path, json.dumps(asdict(ending)).encode("ascii"), 0o666, durable=False, draft=fresh)
