"""The context of a build as a gzip'd tar: the files of a folder, without those that `.dockerignore` leaves out."""

import gzip
import os
import re
import secrets
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from registry.errors import BasegateError

IGNORED = ".dockerignore"


class ContextUnusable(BasegateError):
    """There is no context, or no Dockerfile; the message says where it was looked for."""


def pack(folder: Path, dockerfile: Path | None, into: IO[bytes]) -> str:
    """Write the archive; returns the path of the Dockerfile within it.

    Args:
        folder: the context.
        dockerfile: where it is; `None` for `Dockerfile` in the context. One that lies elsewhere, or that
            `.dockerignore` leaves out, is put in under a name of its own.
        into: gets the archive.

    Raises:
        ContextUnusable: one of them is not there, or a file cannot be read.
    """
    if not folder.is_dir():
        raise ContextUnusable(f"{folder} is no folder: give the folder with what the Dockerfile copies")
    source = dockerfile or folder / "Dockerfile"
    if not source.is_file():
        raise ContextUnusable(f"there is no Dockerfile at {source}: give it with --file")
    name = f"{secrets.token_hex(16)}_Dockerfile"
    try:
        with (
            gzip.GzipFile(fileobj=into, mode="wb", mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            for path in _files(folder, _rules(folder)):
                archive.add(path, str(path.relative_to(folder)), recursive=False, filter=_plain)
            archive.add(source.resolve(), name, recursive=False, filter=_plain)
    except (OSError, ValueError) as error:
        raise ContextUnusable(f"{folder} cannot be packed: {error}") from None
    return name


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Nobody's in particular; what is neither a file, a folder nor a link stays out."""
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _files(folder: Path, rules: Sequence[tuple[re.Pattern[str], bool]]) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted([*folders, *files]):
            path = Path(place) / name
            if not _is_left_out(path.relative_to(folder).as_posix(), rules):
                yield path


def _rules(folder: Path) -> list[tuple[re.Pattern[str], bool]]:
    """Each line of `.dockerignore`, and whether it leaves out; a later one wins over an earlier one."""
    try:
        lines = (folder / IGNORED).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ContextUnusable(f"{folder / IGNORED} cannot be read: {error}") from None
    stripped = (line.strip() for line in lines)
    return [_rule(line) for line in stripped if line and not line.startswith("#")]


def _rule(line: str) -> tuple[re.Pattern[str], bool]:
    text = line.removeprefix("!").strip().strip("/")
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", text)
    made = "".join(_WILD.get(part) or re.escape(part) for part in parts)
    return re.compile(f"{made}(/.*)?"), not line.startswith("!")


_WILD = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _is_left_out(path: str, rules: Sequence[tuple[re.Pattern[str], bool]]) -> bool:
    left_out = False
    for pattern, leaves_out in rules:
        if pattern.fullmatch(path):
            left_out = leaves_out
    return left_out
