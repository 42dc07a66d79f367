"""Compares a table of contents with the tar: member by member, in one pass over both.

Compared is everything that decides what a reader of the table would start: the order of members, their name, type,
mode, owner, link target, device, size, extended attributes, the digests of their content and chunks, and that each
chunk begins as a frame of its own exactly where the tar has its bytes. Not compared is what no program in a container
depends on: times, the names of users and groups (numbers decide), the size of what is no file, and the tar-split data,
from which podman only rebuilds the tar when it pushes the layer again.

Sparse members and bytes in the middle of a frame (`innerOffset`) are refused: only some readers know them.
"""

import hashlib
from collections.abc import Iterator

from policy.inspection.archive.names import cleaned, shown
from policy.inspection.archive.pieces import BLOCK
from policy.inspection.archive.tar import (
    DIRECTORY,
    FILE,
    LINK,
    SYMLINK,
    Member,
    Members,
    number,
)
from policy.inspection.contents.entries import CHUNK, TableEntries, TableEntry
from policy.inspection.contents.footers import FRAME_HEADER, Footer, TocMismatch
from policy.inspection.contents.frames import NOWHERE, Frames
from policy.inspection.contents.paths import Attributes, Paths
from policy.inspection.layer.contents_table import ESTARGZ

INDEX = b"stargz.index.json"
_LANDMARKS = frozenset({b".prefetch.landmark", b".no.prefetch.landmark"})
_PIECE = 1 << 20
_XATTR = b"SCHILY.xattr."
_KINDS = {
    FILE: "reg",
    LINK: "hardlink",
    SYMLINK: "symlink",
    DIRECTORY: "dir",
    ord("3"): "char",
    ord("4"): "block",
    ord("6"): "fifo",
}
_DEVICES = frozenset({"char", "block"})
_DEVICE = (slice(329, 337), slice(337, 345))
_MAGIC_AT = 257
_Place = tuple[int, int]


class Agreement:
    """One comparison. Reading `members` fills `frames`."""

    def __init__(self, footer: Footer, entries: TableEntries, members: Members, frames: Frames) -> None:
        self._footer = footer
        self._entries = entries
        self._members = members
        self._frames = frames
        self._paths = Paths()
        self._places: list[_Place] = []

    def check(self) -> None:
        """Read both to their ends.

        Raises:
            TocMismatch: they differ; names the first member that does.
            LayerRefused: the tar cannot be read under its budgets.
        """
        last = b""
        index = NOWHERE
        for member in self._members:
            if index != NOWHERE:
                raise TocMismatch("the table is not the last member of the tar")
            self._check_places(last)
            last = member.name
            path = cleaned(member.name)
            if path == INDEX and self._footer.kind == ESTARGZ and self._entries.ahead is None:
                index = member.offset - BLOCK
                continue
            ahead = self._entries.ahead
            if path in _LANDMARKS and (ahead is None or _path(ahead) != path):
                continue
            self._member(path, member)
        self._check_places(last)
        if self._entries.ahead is not None:
            raise TocMismatch(f"it lists {self._entries.ahead.name[:400]!r}, which the tar does not have in this place")
        self._paths.finish()
        self._check_own_place(index)

    def _member(self, path: bytes, member: Member) -> None:
        entry = self._entries.take()
        if entry is None:
            raise TocMismatch(f"member {shown(member.name)!r}: the table does not list it")
        try:
            self._paths.add(path, member, _compared(member, entry))
            if member.kind == FILE:
                self._content(member, entry)
        except TocMismatch as mismatch:
            raise TocMismatch(f"member {shown(member.name)!r}: {mismatch}") from None

    def _content(self, member: Member, entry: TableEntry) -> None:
        chunks = list(self._chunks(entry))
        if not member.size:
            if len(chunks) > 1 or entry.digest not in {"", f"sha256:{hashlib.sha256().hexdigest()}"}:
                raise TocMismatch("the table gives an empty file content")
            return
        whole = hashlib.sha256()
        done = 0
        for chunk in chunks:
            size = chunk.chunk_size or member.size - done
            if chunk.chunk_offset != done or size <= 0 or done + size > member.size:
                raise TocMismatch("the chunks that the table lists are not the whole file in order")
            if chunk.inner_offset:
                raise TocMismatch("the table names bytes in the middle of a frame, which not every reader finds")
            self._chunk(chunk, size, whole, alone=len(chunks) == 1)
            self._places.append((chunk.offset, member.offset + done))
            done += size
        if done != member.size:
            raise TocMismatch("the chunks that the table lists are not the whole file in order")
        if entry.end_offset:
            self._places.append((entry.end_offset, member.offset + done))
        if entry.digest != f"sha256:{whole.hexdigest()}":
            raise TocMismatch("its content has another digest than the table says")

    def _chunks(self, entry: TableEntry) -> Iterator[TableEntry]:
        yield entry
        while (ahead := self._entries.ahead) is not None and ahead.kind == CHUNK:
            self._entries.take()
            if ahead.name and _path(ahead) != _path(entry):
                raise TocMismatch(f"a chunk of {ahead.name[:400]!r} follows it")
            yield ahead

    def _chunk(self, chunk: TableEntry, size: int, whole: "hashlib._Hash", *, alone: bool) -> None:
        digest = hashlib.sha256()
        empty = chunk.chunk_type == "zeros"
        if not empty and chunk.chunk_type:
            raise TocMismatch(f"a chunk is of the unknown type {chunk.chunk_type[:80]!r}")
        rest = size
        while rest:
            piece = self._members.body(min(rest, _PIECE))
            rest -= len(piece)
            whole.update(piece)
            digest.update(piece)
            if empty and piece.count(0) != len(piece):
                raise TocMismatch("the table gives zeros where the tar has content")
        expected = chunk.chunk_digest
        if (expected or not alone) and expected != f"sha256:{digest.hexdigest()}":
            raise TocMismatch("a chunk of its content has another digest than the table says")

    def _check_places(self, name: bytes) -> None:
        """Check the offsets of a member's chunks, once the frame after its content has begun."""
        for offset, stream in self._places:
            if self._frames.stream_offset(offset) != stream:
                raise TocMismatch(
                    f"member {shown(name)!r}: byte {offset} of the layer is not where that part of it begins"
                )
        self._places.clear()

    def _check_own_place(self, index: int) -> None:
        """Check that the table is a member or frame of its own: otherwise other content may hide it."""
        footer = self._footer
        if footer.kind == ESTARGZ:
            if index == NOWHERE or self._frames.stream_offset(footer.offset) != index:
                raise TocMismatch(f"the tar does not end in {INDEX.decode()!r} where the footer says")
        elif self._frames.stream_offset(footer.offset - FRAME_HEADER) == NOWHERE:
            raise TocMismatch("the footer names a place that is not a frame of its own")


def _path(entry: TableEntry) -> bytes:
    return cleaned(entry.name.encode())


def _compared(member: Member, entry: TableEntry) -> Attributes:
    """The attributes that header and entry agree on.

    Raises:
        TocMismatch: they differ.
    """
    if _path(entry) != cleaned(member.name) or entry.kind == CHUNK:
        raise TocMismatch(f"the table has {entry.name[:400]!r} in its place")
    if member.sparse is not None:
        raise TocMismatch("it is sparse, which readers of a table do not know")
    kind = _KINDS[member.kind]
    attributes = Attributes(member.mode, *member.owner, _xattrs(member))
    pairs: tuple[tuple[str, object, object], ...] = (
        ("another type", entry.kind, kind),
        ("another mode", entry.mode, attributes.mode),
        ("another owner", (entry.uid, entry.gid), (attributes.uid, attributes.gid)),
        ("another link target", entry.link.encode(), member.link if member.kind in {LINK, SYMLINK} else b""),
        ("another size", entry.size, member.size if member.kind == FILE else entry.size),
        ("another device number", (entry.major, entry.minor), _device(member) if kind in _DEVICES else (0, 0)),
        (
            "other extended attributes",
            frozenset((name.encode(), value) for name, value in entry.xattrs.items()),
            attributes.xattrs,
        ),
    )
    for difference, listed, stored in pairs:
        if listed != stored:
            raise TocMismatch(f"the table gives it {difference}")
    if not (member.kind == FILE and member.size) and (entry.offset or entry.end_offset or entry.chunk_size):
        raise TocMismatch("the table gives content to what has none")
    if member.kind != FILE and entry.digest:
        raise TocMismatch("the table gives a digest to what is no file")
    return attributes


def _device(member: Member) -> tuple[int, int]:
    """Major and minor number; headers older than ustar have none."""
    if not member.header.startswith(b"ustar", _MAGIC_AT):
        return 0, 0
    return number(member.header[_DEVICE[0]]), number(member.header[_DEVICE[1]])


def _xattrs(member: Member) -> frozenset[tuple[bytes, bytes]]:
    records = (member.pax or {}).items()
    return frozenset((key[len(_XATTR) :], value) for key, value in records if key.startswith(_XATTR))
