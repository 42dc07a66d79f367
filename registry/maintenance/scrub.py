"""Scrubbing: reads all content slowly, to find damage by the disk before somebody needs the content.

A pass reads every manifest and then every blob, sorted by name. Its progress is kept in `scrub.json`, so that any
process can continue an interrupted pass. Content without its digest goes to the quarantine, also beside a running
server (`registry.storage.disk.quarantine`).
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import structlog

from registry.errors import BasegateError
from registry.maintenance.pace import Pace
from registry.metadata import contents
from registry.metadata.store import RowStore
from registry.oci.digest import Digest
from registry.storage.blob_store import MaintainedStore
from registry.storage.disk.atomic_file import replace_file

FILE = "scrub.json"
_LOCK = "scrub.lock"
_PAGE = 200
_SAVE_SECONDS = 5.0


class ScrubUnderWay(BasegateError):
    """Another process is scrubbing this folder."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a pass.

    Attributes:
        started: seconds since the epoch.
        finished: when the last complete pass ended; 0: never.
        manifest: id of the row of the last manifest read.
        blob: digest of the last blob read; "" before the first.
        manifests: number read in this pass.
        blobs: number read in this pass.
        bytes: size of these blobs.
        damaged: number damaged or missing in this pass.
    """

    started: float = 0.0
    finished: float = 0.0
    manifest: int = 0
    blob: str = ""
    manifests: int = 0
    blobs: int = 0
    bytes: int = 0
    damaged: int = 0

    @property
    def is_under_way(self) -> bool:
        """Whether a pass is unfinished."""
        return self.started > 0


class Scrub:
    """Scrubs a data folder. All methods block, so it needs a thread of its own.

    Args:
        storage: the blobs.
        metadata: the manifests, and the blobs of repositories.
        data: the folder.
        pace: limits the rate, and stops.
    """

    def __init__(self, storage: MaintainedStore, metadata: RowStore, data: Path, pace: Pace) -> None:
        self._storage = storage
        self._metadata = metadata
        self._data = data
        self._pace = pace
        self._log = structlog.get_logger(__name__)

    def run(self, *, anew: bool = False) -> Progress:
        """Start a pass, or continue an interrupted one; returns its final progress.

        Raises:
            ScrubUnderWay: another process is scrubbing.
            Stopped: `pace.stop` was called; the next run continues from here.
        """
        with _alone(self._data):
            before = read_progress(self._data)
            now = before if before.is_under_way and not anew else Progress(time.time(), before.finished)
            saved = time.monotonic()
            try:
                for step in self._steps(now):
                    now = step
                    if time.monotonic() - saved > _SAVE_SECONDS:
                        saved = time.monotonic()
                        save_progress(self._data, now)
            except BaseException:
                save_progress(self._data, now)
                raise
            save_progress(self._data, Progress(finished=time.time()))
        self._log.info("all content was read", **asdict(now))
        return now

    def _steps(self, now: Progress) -> Iterator[Progress]:
        for step in self._read_manifests(now):
            now = step
            yield now
        for step in self._read_blobs(now):
            now = step
            yield now
        yield replace(now, damaged=now.damaged + self._find_missing())

    def _read_manifests(self, now: Progress) -> Iterator[Progress]:
        while page := self._metadata.read_now(contents.manifest_contents, now.manifest, _PAGE):
            for row, digest, content in page:
                sound = content is None or Digest.of(content, digest.algorithm) == digest
                if not sound:
                    reason = "the bytes of its row have another digest"
                    self._storage.quarantine.note_manifest(digest, content or b"", reason)
                now = replace(now, manifest=row, manifests=now.manifests + 1, damaged=now.damaged + (not sound))
                self._pace(0 if content is None else len(content))
            yield now
        yield now

    def _read_blobs(self, now: Progress) -> Iterator[Progress]:
        for digest in self._storage.digests(now.blob):
            size, sound = self._storage.scrub(digest, self._pace)
            now = replace(
                now,
                blob=digest,
                blobs=now.blobs + 1,
                bytes=now.bytes + size,
                damaged=now.damaged + (not sound),
            )
            yield now
        yield now

    def _find_missing(self) -> int:
        """Count missing blobs of repositories; rows are read twice, as a blob may be removed meanwhile."""
        missing, after = 0, ""
        while page := self._metadata.read_now(contents.shown_blobs, after, _PAGE):
            after = page[-1]
            gone = [digest for digest in page if not self._storage.holds(digest)]
            for digest in self._metadata.read_now(contents.still_shown, gone):
                missing += self._storage.quarantine.note_missing(digest)
        return missing


def read_progress(data: Path) -> Progress:
    """The progress of scrubbing; a file that cannot be read means the beginning."""
    try:
        return Progress(**json.loads((data / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Progress()


def save_progress(data: Path, now: Progress) -> None:
    """Write the progress; if that fails, some content is read again."""
    with suppress(OSError):
        replace_file(data / FILE, json.dumps(asdict(now)).encode(), 0o666, durable=False, draft=data / f".{FILE}")


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    descriptor = os.open(data / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ScrubUnderWay(f"{data} is being scrubbed already: wait for that, or stop it") from None
    finally:
        os.close(descriptor)
