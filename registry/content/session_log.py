"""The log of upload sessions, for the next process: a file that lines are appended to.

A session has no folder until its first byte is kept, and most never get one: a line costs microseconds, a folder a
hundred times that. Nothing is synced: a killed process loses no line, a power failure may. Then a session is unknown,
or is there again without a byte.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from registry.oci.digest import Digest
from registry.oci.errors import DigestInvalid
from registry.storage.blob_store import Opening
from registry.storage.disk.atomic_file import replace_file

FILE = "sessions.log"
_OPENED, _KEPT, _ENDED = "+", "*", "-"
_ROOM = 1 << 20
"""Bytes that are added before the file is written anew, at least."""
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Outcome:
    """The blob that a session was committed as."""

    opening: Opening
    digest: Digest


class SessionLog:
    """For the event loop's thread.

    Args:
        path: the file; made when there is none.
        remembered: how many outcomes of finished sessions to keep.
    """

    def __init__(self, path: Path, remembered: int) -> None:
        self._path = path
        self._remembered = remembered
        self._open: dict[str, Opening] = {}
        self._kept: set[str] = set()
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()
        self._read()
        self._left = 0
        self._descriptor = -1

    def openings(self) -> Mapping[str, Opening]:
        """The sessions that have not ended, by id."""
        return self._open

    def empty(self, upload: str) -> Opening | None:
        """The opening of a session that has not ended and has no byte."""
        return None if upload in self._kept else self._open.get(upload)

    def outcome(self, upload: str) -> Outcome | None:
        """The outcome of a session that was committed, while it is remembered."""
        return self._outcomes.get(upload)

    def opened(self, upload: str, opening: Opening) -> None:
        """Record a new session.

        Raises:
            OSError: the line was not written; the session is not recorded.
        """
        self._add(_opened(upload, opening))
        self._open[upload] = opening

    def staged(self, upload: str) -> None:
        """Record that a session has a folder of its own: without the folder it is lost, not empty."""
        if upload in self._open and upload not in self._kept:
            self._kept.add(upload)
            self._try(f"\n{_KEPT} {upload}")

    def ended(self, upload: str, digest: Digest | None = None) -> None:
        """Record the end of a session, and the blob that it was committed as, if any."""
        opening = self._open.pop(upload, None)
        self._kept.discard(upload)
        if opening is not None:
            self._remember(upload, opening, digest)
            self._try(_ended(upload, digest))

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _remember(self, upload: str, opening: Opening, digest: Digest | None) -> None:
        if digest is not None:
            self._outcomes[upload] = Outcome(opening, digest)
            while len(self._outcomes) > self._remembered:
                self._outcomes.popitem(last=False)

    def _try(self, line: str) -> None:
        """Write a line; a failure is ignored: the next process has one session more, or one without its bytes."""
        with suppress(OSError):
            self._add(line)

    def _add(self, line: str) -> None:
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, _FLAGS, 0o600)
            self._left = max(_ROOM - os.fstat(self._descriptor).st_size, 1)
        # Begin a new line, so that a torn one spoils no other.
        self._left -= os.write(self._descriptor, line.encode("ascii"))
        if self._left <= 0:
            with suppress(OSError):
                self._write_anew()

    def _write_anew(self) -> None:
        """Rewrite the file without forgotten sessions; if that fails, the file keeps growing."""
        self._left = _ROOM
        content = "".join(self._lines()).encode("ascii")
        replace_file(self._path, content, durable=False, draft=self._path.with_name(f"{self._path.name}.new"))
        self.close()  # the earlier file is still open
        self._descriptor = os.open(self._path, _FLAGS, 0o600)
        self._left = max(_ROOM, len(content))

    def _lines(self) -> Iterator[str]:
        for upload, outcome in self._outcomes.items():
            yield _opened(upload, outcome.opening) + _ended(upload, outcome.digest)
        for upload, opening in self._open.items():
            yield _opened(upload, opening)
        for upload in self._kept:
            yield f"\n{_KEPT} {upload}"

    def _read(self) -> None:
        try:
            text = self._path.read_text(encoding="ascii", errors="replace")
        except OSError:
            return
        for line in text.splitlines():
            with suppress(ValueError, IndexError, DigestInvalid):  # torn, or of another version
                self._take(line.split(" "))

    def _take(self, words: list[str]) -> None:
        if words[0] == _OPENED:
            upload, started, algorithm, principal, repository = words[1:]
            self._open[upload] = Opening(repository, algorithm, principal, float(started))
        elif words[0] == _KEPT and words[1] in self._open:
            self._kept.add(words[1])
        elif words[0] == _ENDED:
            opening = self._open.pop(words[1], None)
            self._kept.discard(words[1])
            if opening is not None and len(words) > 2:
                self._remember(words[1], opening, Digest.parse(words[2]))


def _opened(upload: str, opening: Opening) -> str:
    return f"\n{_OPENED} {upload} {opening.started!r} {opening.algorithm} {opening.principal} {opening.repository}"


def _ended(upload: str, digest: Digest | None) -> str:
    return f"\n{_ENDED} {upload}" if digest is None else f"\n{_ENDED} {upload} {digest}"
