"""The headers of a tar archive, read without its content (POSIX.1-2017 pax, "ustar"; GNU's long names).

Nothing is extracted: a member is a place in the file. Sizes are compared with what the file has before anything is
read, so that a header may claim what it likes.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from registry.transfer.errors import SourceUnusable

_BLOCK = 512
_TEXT_MAXIMUM = 1 << 20
"""Bytes of an extension header, which holds little but names."""
_DIGITS = 11
"""Bytes that the length of a record takes at most, and the space behind it."""
_READ = frozenset({"path", "linkpath", "size"})
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK, _SPARSE = b"x", b"g", b"L", b"K", b"S"
_FILES = frozenset({b"0", b"\0", b"7"})
_HARD, _SYMBOLIC, _FOLDER = b"1", b"2", b"5"
_KINDS = {_HARD: "hard link", _SYMBOLIC: "symbolic link", _FOLDER: "folder"}


@dataclass(frozen=True, slots=True)
class Header:
    """One member.

    Attributes:
        name: as written.
        kind: `file`, `folder`, `hard link`, `symbolic link`.
        offset: where its content begins, in bytes of the archive.
        size: bytes of its content.
        target: what a link names.
    """

    name: str
    kind: str
    offset: int
    size: int
    target: str


def headers(file: BinaryIO) -> Iterator[Header]:
    """The members of an archive, in order.

    Raises:
        SourceUnusable: it is no tar, it ends early, or holds something that is neither file, folder nor link.
    """
    length = file.seek(0, os.SEEK_END)
    offset = 0
    extended: dict[str, str] = {}
    while (block := _block(file, offset, length)) is not None:
        offset += _BLOCK
        kind, size = block[156:157], _size(block, extended)
        if offset + size > length:
            name = _name(block, extended) or "a header"
            raise SourceUnusable(
                f"the archive ends within {name[:255]!r}: it has {length - offset} of {size} bytes; get it again, whole"
            )
        if kind in {_PAX, _LONG_NAME, _LONG_LINK}:
            extended |= _extension(kind, _text(file, offset, size))
        elif kind != _PAX_GLOBAL:
            yield _member(block, kind, extended, offset, size)
            extended = {}
        offset += -(-size // _BLOCK) * _BLOCK
    if not offset:
        raise SourceUnusable("the archive is empty: needs a tar of docker save, podman save or an OCI layout")


def _block(file: BinaryIO, offset: int, length: int) -> bytes | None:
    """The header at a place; `None` at the end of the archive."""
    if offset == length:
        return None  # without the two blocks of zeros: writers leave them out
    file.seek(offset)
    block = file.read(_BLOCK)
    if len(block) < _BLOCK:
        raise SourceUnusable(f"the archive ends within a header, at byte {offset}: get it again, whole")
    if not block.strip(b"\0"):
        return None
    total = sum(block) - sum(block[148:156]) + 8 * 32
    if total != _octal(block[148:156]):
        what = "this is no tar archive" if offset == 0 else f"the archive is damaged at byte {offset}"
        raise SourceUnusable(f"{what}: needs a tar of docker save, podman save or an OCI layout")
    return block


def _member(block: bytes, kind: bytes, extended: dict[str, str], offset: int, size: int) -> Header:
    name = _name(block, extended)
    if kind in _FILES and not name.endswith("/"):
        return Header(name, "file", offset, size, "")
    if kind in _FILES:
        kind = _FOLDER
    if kind not in _KINDS:
        what = "is a sparse file" if kind == _SPARSE else f"is of type {kind!r}"
        raise SourceUnusable(f"member {name[:255]!r} of the archive {what}: needs files, folders and links only")
    return Header(name, _KINDS[kind], offset, size, extended.get("linkpath") or _string(block[157:257]))


def _name(block: bytes, extended: dict[str, str]) -> str:
    if "path" in extended:
        return extended["path"]
    prefix = _string(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{_string(block[:100])}" if prefix else _string(block[:100])


def _size(block: bytes, extended: dict[str, str]) -> int:
    if block[156:157] in {_HARD, _SYMBOLIC, _FOLDER}:
        return 0
    text = extended.get("size", "") if block[156:157] in _FILES else ""
    if not text:
        return _octal(block[124:136])
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise SourceUnusable(f"the archive gives a member the size {text[:32]!r}: needs a number of bytes")
    return int(text)


def _octal(field: bytes) -> int:
    """A number of a header: octal digits, or GNU's binary form for large ones."""
    if field[:1] in {b"\x80", b"\xff"}:
        value = int.from_bytes(field[1:], "big")
        if field[:1] == b"\xff" or value >= 1 << 63:
            raise SourceUnusable("the archive gives a member a size that no file has")
        return value
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise SourceUnusable(f"the archive has {digits[:16]!r} where a number belongs: it is damaged, or no tar")
    return int(digits or b"0", 8)


def _string(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _text(file: BinaryIO, offset: int, size: int) -> bytes:
    if size > _TEXT_MAXIMUM:
        raise SourceUnusable(f"an extension header of the archive has {size} bytes: at most {_TEXT_MAXIMUM} are read")
    file.seek(offset)
    return file.read(size)


def _extension(kind: bytes, text: bytes) -> dict[str, str]:
    if kind == _LONG_NAME:
        return {"path": _string(text)}
    if kind == _LONG_LINK:
        return {"linkpath": _string(text)}
    return dict(_records(text))


def _records(text: bytes) -> Iterator[tuple[str, str]]:
    """pax: `LENGTH NAME=VALUE` and a newline, the length counting the whole record."""
    begin = 0
    while begin < len(text):
        number, space, _ = text[begin : begin + _DIGITS].partition(b" ")
        left = len(text) - begin
        if not space or not number.isdigit() or not len(number) + 3 < (length := int(number)) <= left:
            raise SourceUnusable("an extension header of the archive is damaged")
        name, _, value = text[begin + len(number) + 1 : begin + length - 1].partition(b"=")
        begin += length
        key = name.decode("utf-8", "surrogateescape")
        if key.startswith("GNU.sparse"):
            raise SourceUnusable("the archive holds a sparse file: needs files, folders and links only")
        if key in _READ:
            yield key, value.decode("utf-8", "surrogateescape")
