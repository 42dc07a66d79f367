"""Uploads that a sender has left unfinished: the next sender of the same blob goes on there.

One file for each blob and repository, in a folder of the person's, or in the data folder that the blob goes to.
Whoever sends the blob holds a lock on it, which ends with the process; somebody who sends the same at the same time
begins an upload of his own.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

_LONGEST = 65536


class UnfinishedUpload:
    """Where an upload goes on: in a locked file, or nowhere.

    Args:
        file: descriptor of the locked file; `None`: nothing is kept.
        named: what the file is about.

    Attributes:
        location: the URL of the upload, or its id in a data folder; "" when there is none.
    """

    def __init__(self, file: int | None = None, named: Mapping[str, str] | None = None) -> None:
        self._file = file
        self._named = dict(named or {})
        self.location = "" if file is None else _location_in(file, self._named)

    @property
    def can_be_kept(self) -> bool:
        """Whether it is noted where it goes on: the blob is large enough, and nobody else is sending it."""
        return self._file is not None

    def keep(self, location: str) -> None:
        """Note where the upload goes on; on a disk that takes nothing it is not noted."""
        self.location = location
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, json.dumps({**self._named, "location": location}).encode(), 0)


class UnfinishedUploads:
    """The uploads of one person, or of one data folder.

    Args:
        folder: of the files; made when it is needed, for its owner alone.
        least: bytes of a blob from which on its upload is kept.
        seconds: how long; older files are removed.
    """

    def __init__(self, folder: Path, least: int, seconds: float) -> None:
        self._folder = folder
        self._least = least
        self._seconds = seconds

    @contextmanager
    def sending(self, url: str, repository: RepositoryName, digest: Digest, size: int) -> Iterator[UnfinishedUpload]:
        """What is known of the upload of a blob; forgotten when the block ends without an error.

        Args:
            url: `SCHEME://HOST[:PORT]` of the registry; "" for a data folder, which has its own.
            repository: where the blob goes.
            digest: of the blob.
            size: its bytes.
        """
        named = {"registry": url, "repository": str(repository), "digest": str(digest)}
        place = self._folder / hashlib.sha256("\n".join(named.values()).encode()).hexdigest()
        file = self._locked(place) if size >= self._least else None
        try:
            yield UnfinishedUpload(file, named)
            if file is not None and _is_at(file, place):
                place.unlink(missing_ok=True)
        finally:
            if file is not None:
                os.close(file)

    def _locked(self, place: Path) -> int | None:
        """The file, or `None` when somebody else has it or the folder takes no files."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove_old()
            file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(file, place):  # not removed by whoever had the lock until now
                return file
        os.close(file)
        return None

    def _remove_old(self) -> None:
        limit = time.time() - self._seconds
        for place in self._folder.iterdir():
            with suppress(OSError):
                if place.stat().st_mtime < limit:
                    place.unlink()


def folder_of(environment: Mapping[str, str], home: Path) -> Path:
    """Where a person's are kept (XDG Base Directory Specification, state)."""
    return Path(environment.get("XDG_STATE_HOME") or home / ".local/state") / "basegate/uploads"


def _is_at(file: int, place: Path) -> bool:
    """Whether an open file is the one that is there now; one that was old may have been removed and made again."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file), place.stat())
    return False


def _location_in(file: int, named: Mapping[str, str]) -> str:
    """The URL that an earlier sender has noted; "" when it is about something else, or cannot be read."""
    try:
        document = json.loads(os.pread(file, _LONGEST, 0) or b"{}")
    except (OSError, ValueError):
        return ""
    if not isinstance(document, dict) or any(document.get(name) != value for name, value in named.items()):
        return ""
    location = document.get("location")
    return location if isinstance(location, str) else ""
