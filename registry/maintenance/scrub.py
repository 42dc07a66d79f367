"""Scrubbing: reading all content again, slowly, to find what a disk has damaged before somebody asks for it.

A pass reads every manifest and then every blob in the order of their names. Where it stands is kept in `scrub.json`, so
that a pass which is cut short goes on from there, whoever goes on with it. What does not have its digest is set aside
(`registry.storage.disk.quarantine`), beside a running server as well.
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
from registry.metadata.sqlite_store import SqliteStore
from registry.oci.digest import Digest
from registry.storage.disk.atomic_file import replace_file
from registry.storage.disk.directories import folder_of
from registry.storage.disk.store import DiskStore

FILE = "scrub.json"
_LOCK = "scrub.lock"
_PAGE = 200
_SAVE_SECONDS = 5.0


class ScrubUnderWay(BasegateError):
    """Another process reads this folder already."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass is.

    Attributes:
        started: seconds since the epoch.
        finished: when the last whole pass ended; 0: never.
        manifest: row number of the last manifest that was read.
        blob: digest of the last blob that was read; "" before the first.
        manifests: read in this pass.
        blobs: read in this pass.
        bytes: of these blobs.
        damaged: found to be damaged or missing in this pass.
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
        """Whether a pass has begun and not ended."""
        return self.started > 0


class Scrub:
    """One reader of a data folder. Everything here blocks: it is for a thread of its own.

    Args:
        storage: the blobs.
        metadata: the manifests, and which blobs there should be.
        data: the folder.
        pace: how fast to read, and when to stop.
    """

    def __init__(self, storage: DiskStore, metadata: SqliteStore, data: Path, pace: Pace) -> None:
        self._storage = storage
        self._metadata = metadata
        self._data = data
        self._pace = pace
        self._log = structlog.get_logger(__name__)

    def run(self, *, anew: bool = False) -> Progress:
        """Begin a pass, or go on with the one that was cut short; returns how it ended.

        Raises:
            ScrubUnderWay: somebody else does.
            Stopped: the pace was told to stop; the next run goes on from here.
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
        for folder in self._storage.folders():
            for digest in folder_of(folder):
                if digest <= now.blob:
                    continue
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
        """Blobs that rows show and that are not there, asked twice: one may be removed just now."""
        missing, after = 0, ""
        while page := self._metadata.read_now(contents.shown_blobs, after, _PAGE):
            after = page[-1]
            gone = [digest for digest in page if not self._storage.holds(digest)]
            for digest in self._metadata.read_now(contents.still_shown, gone):
                missing += self._storage.quarantine.note_missing(digest)
        return missing


def read_progress(data: Path) -> Progress:
    """Where the scrubbing of a data folder stands; a file that cannot be read means at the beginning."""
    try:
        return Progress(**json.loads((data / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Progress()


def save_progress(data: Path, now: Progress) -> None:
    """Write down where it stands. A disk that refuses costs some reading again, no more."""
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
