"""Writes the files of a layout: into a folder, or as a tar whose bytes depend on nothing but its content.

Nothing is at the target's place before everything is there: until then it has another name, beside it.
"""

import os
import shutil
import stat
import tarfile
from pathlib import Path
from typing import BinaryIO, Protocol

from registry.storage.disk.ownership import acting
from registry.transfer.errors import TargetUnusable

_BLOCK, _RECORD = 512, 10_240
_FILE, _FOLDER = 0o644, 0o755


class LayoutFiles(Protocol):
    """Takes files in the order of their names. All methods block."""

    def folder(self, name: str) -> None:
        """A folder, before the files in it. Raises TargetUnusable."""
        ...

    def begin(self, name: str, size: int) -> None:
        """Begin a file of so many bytes. Raises TargetUnusable."""
        ...

    def write(self, piece: bytes) -> None:
        """Append to it. Raises TargetUnusable."""
        ...

    def finish(self) -> None:
        """Everything is there: put it in its place. Raises TargetUnusable."""
        ...

    def abandon(self) -> None:
        """Remove what is there so far."""
        ...


class LayoutFolder:
    """A layout as a folder."""

    def __init__(self, place: Path) -> None:
        """Raises TargetUnusable when something is there already."""
        require_free(place)
        self._place, self._draft = place, _draft(place)
        self._file: BinaryIO | None = None
        shutil.rmtree(self._draft, ignore_errors=True)
        with _told(place):
            self._draft.mkdir(parents=True)

    def folder(self, name: str) -> None:
        """Make it."""
        with _told(self._place):
            (self._draft / name).mkdir()

    def begin(self, name: str, size: int) -> None:  # noqa: ARG002
        """Open it."""
        self._end()
        with _told(self._place):
            self._file = (self._draft / name).open("xb")

    def write(self, piece: bytes) -> None:
        """Append."""
        if self._file is not None:
            with _told(self._place):
                self._file.write(piece)

    def finish(self) -> None:
        """Rename the folder."""
        self._end()
        with _told(self._place):
            self._draft.rename(self._place)

    def abandon(self) -> None:
        """Remove the folder."""
        if self._file is not None:
            self._file.close()
        shutil.rmtree(self._draft, ignore_errors=True)

    def _end(self) -> None:
        if self._file is not None:
            with _told(self._place):
                self._file.close()
            self._file = None


class LayoutTar:
    """A layout as a tar: owned by nobody, of the year 1970, as whoever makes it again will make it."""

    def __init__(self, place: Path | None, stream: BinaryIO | None = None) -> None:
        """Write to a new file at `place`, or to a stream. Raises TargetUnusable when something is there already."""
        self._place, self._draft = place, None if place is None else _draft(place)
        self._written = 0
        self._name = place or Path("-")
        if place is not None and self._draft is not None:
            require_free(place)
            with _told(place):
                place.parent.mkdir(parents=True, exist_ok=True)
                stream = self._draft.open("wb")
        if stream is None:
            raise ValueError("a tar needs a place or a stream")
        self._stream: BinaryIO = stream

    def folder(self, name: str) -> None:
        """A header."""
        self._head(f"{name}/", 0, tarfile.DIRTYPE, _FOLDER)

    def begin(self, name: str, size: int) -> None:
        """A header."""
        self._head(name, size, tarfile.REGTYPE, _FILE)

    def write(self, piece: bytes) -> None:
        """Content."""
        with _told(self._name):
            self._stream.write(piece)
        self._written += len(piece)

    def finish(self) -> None:
        """The end of the archive; then rename the file."""
        self._pad(_BLOCK)
        self.write(bytes(2 * _BLOCK))
        self._pad(_RECORD)
        with _told(self._name):
            self._stream.flush()
            if self._draft is not None and self._place is not None:
                self._stream.close()
                self._draft.rename(self._place)

    def abandon(self) -> None:
        """Remove the file; a stream keeps what it got, without an end."""
        if self._draft is not None:
            self._stream.close()
            self._draft.unlink(missing_ok=True)

    def _head(self, name: str, size: int, kind: bytes, mode: int) -> None:
        self._pad(_BLOCK)
        member = tarfile.TarInfo(name)
        member.size, member.type, member.mode = size, kind, mode
        # pax has a record for what does not fit ustar's fields; else both forms are the same bytes.
        self.write(member.tobuf(tarfile.PAX_FORMAT))

    def _pad(self, unit: int) -> None:
        self.write(bytes(-self._written % unit))


def layout_files(out: str, stream: BinaryIO) -> LayoutFiles:
    """What `OUT` of a command means: `-` the stream, `….tar` a tar, everything else a folder. Raises TargetUnusable."""
    if out == "-":
        return LayoutTar(None, stream)
    return LayoutTar(Path(out)) if out.endswith(".tar") else LayoutFolder(Path(out))


def require_free(place: Path) -> None:
    """Raise TargetUnusable when something is at a place, an empty folder aside."""
    try:
        found = os.lstat(place)
    except FileNotFoundError:
        return
    except OSError as error:
        raise TargetUnusable(f"{place} cannot be looked at: {error.strerror}") from None
    if not (stat.S_ISDIR(found.st_mode) and not any(place.iterdir())):
        raise TargetUnusable(f"{place} is there already: nothing is written over it; remove it, or name another place")


class _told:  # noqa: N801 - reads as a word
    """Turns errors of the disk into ours."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise TargetUnusable(f"{self._place} cannot be written: {error.strerror}{acting()}") from None


def _draft(place: Path) -> Path:
    return place.absolute().with_name(f".{place.absolute().name}.partial")
