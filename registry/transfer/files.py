"""The files of a source by name: those of a tar archive, or of a folder. Nothing is extracted, nothing leads out."""

import posixpath
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from registry.config.transfer import TransferSettings
from registry.transfer.errors import SourceUnusable
from registry.transfer.tar_headers import Header, headers

PIECE = 1 << 20
_LINKS = 8


class Files(Protocol):
    """Named files. All methods block."""

    def size(self, name: str) -> int | None:
        """Bytes of a file; `None` when there is none. Raises SourceUnusable for what cannot be read as a file."""
        ...

    def read(self, name: str, maximum: int) -> bytes:
        """A file whole. Raises SourceUnusable: it is missing, or longer than `maximum` bytes."""
        ...

    def pieces(self, name: str, start: int = 0) -> Iterator[bytes]:
        """A file from an offset on, in pieces of at most 1 MiB. Raises SourceUnusable: it is missing, or ends early."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class TarFiles:
    """The members of a tar archive.

    Links are followed within the archive alone. A name that is absolute, leads upwards, or comes twice is refused, and
    the archive with it: readers differ in what they take it for.
    """

    def __init__(self, file: BinaryIO, limits: TransferSettings) -> None:
        """Read all headers; the file is taken over.

        Raises:
            SourceUnusable: it is no tar, is truncated, has too many members, or one that is refused.
        """
        self._file = file
        self._members: Mapping[str, Header] = _members(file, limits.archive_members)

    def size(self, name: str) -> int | None:
        """Bytes of a member, links followed."""
        member = self._find(name)
        return None if member is None else member.size

    def read(self, name: str, maximum: int) -> bytes:
        """A member whole."""
        size = self.size(name)
        require_readable(name, size, maximum)
        return b"".join(self.pieces(name))

    def pieces(self, name: str, start: int = 0) -> Iterator[bytes]:
        """A member in pieces."""
        member = self._find(name)
        if member is None:
            raise missing(name)
        return _pieces(self._file, name, member.offset + start, member.size - start)

    def close(self) -> None:
        """Close the archive."""
        self._file.close()

    def _find(self, name: str) -> Header | None:
        seen = name
        for _ in range(_LINKS):
            member = self._members.get(seen)
            if member is None or member.kind == "file":
                return member
            seen = _target(member, seen)
        raise SourceUnusable(f"the links of {name!r} in the archive lead nowhere: more than {_LINKS} of them")


class FolderFiles:
    """The files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def size(self, name: str) -> int | None:
        """Bytes of a file."""
        try:
            found = (self._folder / name).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(self._folder / name, error) from None
        if not stat.S_ISREG(found.st_mode):
            raise SourceUnusable(f"{self._folder / name} is no file")
        return found.st_size

    def read(self, name: str, maximum: int) -> bytes:
        """A file whole."""
        size = self.size(name)
        require_readable(name, size, maximum)
        return b"".join(self.pieces(name))

    def pieces(self, name: str, start: int = 0) -> Iterator[bytes]:
        """A file in pieces."""
        size = self.size(name)
        if size is None:
            raise missing(name)
        try:
            with (self._folder / name).open("rb") as file:
                yield from _pieces(file, name, start, size - start)
        except OSError as error:
            raise _unreadable(self._folder / name, error) from None

    def close(self) -> None:
        """Nothing is open."""


def missing(name: str) -> SourceUnusable:
    """The refusal of a source that lacks a file."""
    return SourceUnusable(f"the source has no {name[:255]!r}, which it names: it is not whole, make it again")


def require_readable(name: str, size: int | None, maximum: int) -> None:
    """Raise SourceUnusable when a file is missing, or longer than may be read into memory."""
    if size is None:
        raise missing(name)
    if size > maximum:
        raise SourceUnusable(f"{name[:255]!r} has {size} bytes: at most {maximum} are read (transfer.document_bytes)")


def _members(file: BinaryIO, most: int) -> dict[str, Header]:
    found: dict[str, Header] = {}
    for number, header in enumerate(headers(file), 1):
        if number > most:
            raise SourceUnusable(f"the archive has more than {most} members (transfer.archive_members)")
        name = _member_name(header.name)
        if header.kind == "folder":
            continue
        if name in found:
            raise SourceUnusable(
                f"the archive has {name[:255]!r} twice: which one is meant cannot be told; make it again"
            )
        found[name] = header
    return found


def _member_name(name: str) -> str:
    """The name of a member without `./`. Raises SourceUnusable when it could lead out of the archive."""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts:
        raise SourceUnusable(f"member {name[:255]!r} leads out of the archive: its names must be relative, without ..")
    return "/".join(parts)


def _target(member: Header, seen: str) -> str:
    """The name of what a link in the archive means. Raises SourceUnusable when that is outside."""
    beside = posixpath.dirname(seen) if member.kind == "symbolic link" else ""
    found = posixpath.normpath(posixpath.join(beside, member.target))
    if found.startswith(("/", "../")) or found == "..":
        raise SourceUnusable(f"link {seen[:255]!r} leads out of the archive, to {member.target[:255]!r}")
    return found


def _pieces(file: BinaryIO, name: str, offset: int, size: int) -> Iterator[bytes]:
    while size > 0:
        file.seek(offset)  # each time: another member may be read in between
        piece = file.read(min(PIECE, size))
        if not piece:
            raise SourceUnusable(f"{name[:255]!r} ends {size} bytes early: the source changes while it is read")
        yield piece
        offset, size = offset + len(piece), size - len(piece)


def _unreadable(path: Path, error: OSError) -> SourceUnusable:
    return SourceUnusable(f"{path} cannot be read: {error.strerror}")
