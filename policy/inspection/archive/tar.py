"""A strict scanner of tar headers: ustar, GNU and pax, names as Go's archive/tar gives them to every unpacker.

Sources: POSIX.1-2017 pax ("ustar Interchange Format"), GNU tar manual ("Basic Tar Format"). Strict: every checksum is
verified, the archive ends with two zero blocks or at a block boundary, a body is complete. What follows the end blocks
is no part of the archive.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from policy.inspection.archive import pax, sparse
from policy.inspection.archive.pieces import BLOCK, Pieces, padded
from policy.inspection.archive.sparse import SparseMap
from policy.inspection.budgets import Budgets, LayerRefused, damaged, hostile, over_budget

_HEADER = struct.Struct("100s8s16x12s12x8sc100s8s80x155s12x")
_TIMES = (slice(345, 357), slice(357, 369))
_BASE_256 = frozenset({0x80, 0xFF})
_UNUSED = (slice(108, 116), slice(116, 124), slice(136, 148), slice(329, 337), slice(337, 345))
_ORDINARY = re.compile(rb"[0-7]{7}\0[0-7]{7}\0.{12}[0-7]{11}\0.{181}(?:[0-7]{7}\0[0-7]{7}\0|\0{16})", re.DOTALL).match
_ZEROS = bytes(BLOCK)
_USTAR = b"ustar\0"
_GNU = b"ustar  \0"
_HIGHEST = 1 << 62
_UID, _GID = slice(108, 116), slice(116, 124)

FILE = ord("0")
FILES = frozenset(b"07\0S")
LINK, SYMLINK, CHARACTER_DEVICE, DIRECTORY = ord("1"), ord("2"), ord("3"), ord("5")
DEVICES = frozenset(b"346")
_WITHOUT_BODY = DEVICES | {LINK, SYMLINK, DIRECTORY}
_LONG_NAME, _LONG_LINK, _PAX, _GLOBAL = ord("L"), ord("K"), ord("x"), ord("g")
_EXTENSIONS = frozenset({_LONG_NAME, _LONG_LINK, _PAX, _GLOBAL})


@dataclass(slots=True)
class Member:
    """One member of an archive.

    Attributes:
        name: as stored, not cleaned.
        kind: the type flag: FILE for every kind of file, LINK, SYMLINK, DIRECTORY or one of DEVICES.
        mode: permission bits.
        link: target of a link, as stored.
        offset: where the stored body begins in the uncompressed stream.
        stored: bytes of the body in the archive.
        header: its header block.
        pax: the records of its extended header.
        attributed: whether extended attributes are among them.
        sparse: where the stored bytes belong, for a sparse file.
    """

    name: bytes
    kind: int
    mode: int
    link: bytes
    offset: int
    stored: int
    header: bytes = b""
    pax: Mapping[bytes, bytes] | None = None
    attributed: bool = False
    sparse: SparseMap | None = None

    @property
    def size(self) -> int:
        """Length of the file, holes included."""
        return self.sparse.size if self.sparse else self.stored

    @property
    def owner(self) -> tuple[int, int]:
        """Its uid and gid.

        Raises:
            LayerRefused: not numbers, or negative ones.
        """
        return _identifier(self, pax.UID, _UID), _identifier(self, pax.GID, _GID)


def _identifier(member: Member, key: bytes, field: slice) -> int:
    text = member.pax.get(key) if member.pax else None
    if text is None:
        return number(member.header[field])
    if not text.isdigit() or len(text) > 18:
        raise damaged("a pax header gives an owner that is not a number")
    return int(text)


def octal(field: bytes) -> int:
    """An octal field, padded with spaces and NULs; 0 when empty.

    Raises:
        LayerRefused: something other than octal digits.
    """
    text = field.strip(b" \0")
    if b"\0" in text:
        text = text.partition(b"\0")[0]
    if not text:
        return 0
    try:
        return int(text, 8) if text.isdigit() else int("")
    except ValueError:
        raise damaged(f"a header field holds {field!r} instead of an octal number") from None


def number(field: bytes) -> int:
    """An octal or base-256 field that must not be negative.

    Raises:
        LayerRefused: not a number, negative, or beyond 2^62.
    """
    digits = field[:-1]
    if digits.isdigit() and not field[-1]:
        try:
            return int(digits, 8)
        except ValueError:
            return octal(field)
    if not field[0] & 0x80:
        return octal(field)
    value = int.from_bytes(field[1:], "big")
    if field[0] != 0x80 or value > _HIGHEST:
        raise damaged("a header field holds a negative or an absurd number")
    return value


def _sum(block: bytes) -> int:
    """The sum of a block's bytes. For ASCII it is below 65521, so the low half of Adler-32 is the sum plus one."""
    return (zlib.adler32(block) & 0xFFFF) - 1 if block.isascii() else sum(block)


def _verify(block: bytes, stored: bytes, offset: int) -> None:
    """Check the sum of all bytes, the checksum field counted as spaces; old writers added signed bytes."""
    total = _sum(block) - sum(stored) + 256
    if stored == b"%06o\0 " % total:
        return
    expected = octal(stored)
    if total != expected and total - 256 * sum(byte > 127 for byte in block[:148] + block[156:]) != expected:
        raise damaged(f"the header at byte {offset} has a wrong checksum")


def _verify_numbers(block: bytes, magic: bytes) -> None:
    """Owner, times and device numbers must be numbers, although nothing here uses them."""
    for field in _UNUSED if magic.startswith(b"ustar") else _UNUSED[:3]:
        if block[field.start] not in _BASE_256:
            octal(block[field])


class Extensions:
    """The extended headers of the member that follows them."""

    __slots__ = ("_came", "attributed", "link", "name", "pax")

    def __init__(self) -> None:
        self._came = False
        self.attributed = False
        self.pax: Mapping[bytes, bytes] = {}
        self.name = b""
        self.link = b""

    def __bool__(self) -> bool:
        """Whether there was one, even an empty one: a member must follow."""
        return self._came

    def read(self, kind: int, body: bytes) -> None:
        """Read the body of an extended header; a later one of the same kind replaces an earlier one."""
        if kind == _PAX:
            self.pax = pax.records(body)
            self.attributed = pax.ATTRIBUTE in body
        elif kind == _GLOBAL:
            if self:
                raise hostile(
                    "a global pax header follows an extended header: unpackers disagree on what that one is for"
                )
            pax.refuse_global(pax.records(body))
            return
        elif kind == _LONG_NAME:
            self.name = body.partition(b"\0")[0]
        else:
            self.link = body.partition(b"\0")[0]
        self._came = True


class Members:
    """The members of an archive in order. The body of the latest can be read before the next is requested.

    Args:
        pieces: the uncompressed stream.
        budgets: its limits.
        on_global: called with the name of each global pax header, as stored.
    """

    def __init__(self, pieces: Pieces, budgets: Budgets, on_global: Callable[[bytes], None] | None = None) -> None:
        self._pieces = pieces
        self._budgets = budgets
        self._on_global = on_global
        self._unread = 0
        self.count = 0

    def body(self, size: int) -> bytes:
        """The next `size` bytes of the latest member's stored body, which must be that long."""
        self._unread -= size
        return self._pieces.take(size)

    def holds(self, size: int, needles: tuple[bytes, ...]) -> bool | None:
        """Whether the body contains one of `needles`; `None` when it must be read to find out."""
        return self._pieces.holds(size, needles)

    def __iter__(self) -> Iterator[Member]:
        """Every member.

        Raises:
            LayerRefused: a wrong checksum, number, type or end; more members than the budget allows.
        """
        pieces = self._pieces
        extensions = Extensions()
        while block := pieces.block():
            if block == _ZEROS:
                self._end(extensions)
                return
            member = self._member(block, extensions)
            if member is not None:
                extensions = Extensions() if extensions else extensions
                self._unread = padded(member.stored)
                yield member
                pieces.skip(self._unread)
        self._no_leftover(extensions)

    def _end(self, extensions: Extensions) -> None:
        if self._pieces.block() != _ZEROS:
            raise damaged(f"a lone zero block stands before byte {self._pieces.offset}: the end needs two")
        self._no_leftover(extensions)
        self._pieces.drain()

    def _no_leftover(self, extensions: Extensions) -> None:
        if extensions:
            raise damaged("the archive ends after an extended header")
        if not self._pieces.offset:
            raise damaged("the layer is empty: not even an archive's end is there")

    def _member(self, block: bytes, extensions: Extensions) -> Member | None:
        name, mode, size, checksum, flag, link, magic, prefix = _HEADER.unpack(block)
        _verify(block, checksum, self._pieces.offset - BLOCK)
        if not _ORDINARY(block, 108):
            _verify_numbers(block, magic)
        kind = flag[0]
        stored, bits = number(size), number(mode)
        if kind in _EXTENSIONS:
            self._extend(kind, stored, extensions)
            if kind == _GLOBAL and self._on_global is not None:
                self._on_global(_joined(name, magic, prefix, block))
            return None
        self.count += 1
        if self.count > self._budgets.members:
            raise over_budget(f"the layer has more than {self._budgets.members} members")
        member = Member(_joined(name, magic, prefix, block), kind, bits, _text(link), 0, stored, block)
        if extensions:
            _apply(member, extensions)
        if kind in _WITHOUT_BODY:
            member.stored = 0
            if extensions.pax and sparse.is_sparse(extensions.pax):
                raise damaged("something that is not a file is described as sparse")
        elif kind not in FILES:
            raise _unknown_kind(kind, member.name)
        elif kind != FILE or extensions.pax:
            self._special_file(member, block, magic, extensions.pax)
        member.offset = self._pieces.offset
        return member

    def _extend(self, kind: int, size: int, extensions: Extensions) -> None:
        if size > self._budgets.extension_bytes:
            raise over_budget(f"an extended header is larger than {self._budgets.extension_bytes} bytes")
        extensions.read(kind, self._pieces.take(padded(size))[:size])

    def _special_file(self, member: Member, block: bytes, magic: bytes, records: Mapping[bytes, bytes]) -> None:
        """Old directories, sparse files and contiguous files."""
        kind, member.kind = member.kind, FILE
        most = self._budgets.sparse_regions
        if kind == 0 and member.name.endswith(b"/"):
            member.kind, member.stored = DIRECTORY, 0
        elif kind == ord("S"):
            if magic != _GNU:
                raise damaged("a sparse member is not in GNU format")
            member.sparse = sparse.old_map(block, member.stored, self._pieces.block, number, most)
        elif sparse.is_sparse(records):
            member.name = records.get(pax.SPARSE_NAME, member.name)
            if sparse.is_text_map(records):
                member.sparse = sparse.text_map(records, member.stored, self._pieces.block, most)
                member.stored -= member.sparse.overhead
            else:
                member.sparse = sparse.pax_map(records, member.stored, most)


def _joined(name: bytes, magic: bytes, prefix: bytes, block: bytes) -> bytes:
    """The name with its prefix, which only ustar has: GNU's format keeps times there."""
    if magic.startswith(_USTAR):
        if not prefix[0]:
            return _text(name)
        if block.endswith(b"tar\0"):
            prefix = prefix[:131]
        front = _text(prefix)
        return front + b"/" + _text(name) if front else _text(name)
    if magic == _GNU:
        for times in _TIMES:
            if block[times.start]:
                number(block[times])
    return _text(name)


def _text(field: bytes) -> bytes:
    end = field.find(0)
    return field if end < 0 else field[:end]


def _apply(member: Member, extensions: Extensions) -> None:
    member.pax = records = extensions.pax
    member.attributed = extensions.attributed
    member.name = extensions.name or records.get(pax.PATH, member.name)
    member.link = extensions.link or records.get(pax.LINK, member.link)
    size = records.get(pax.SIZE)
    if size is not None:
        if not size.isdigit() or len(size) > 18:
            raise damaged("a pax header gives a size that is not a number")
        member.stored = int(size)


def _unknown_kind(kind: int, name: bytes) -> LayerRefused:
    shown = name.decode("utf-8", "replace")[:200]
    return LayerRefused(
        "unsupported-layer", f"member {shown!r} has type {chr(kind)!r}, which no unpacker of images knows"
    )
