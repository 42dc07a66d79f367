"""Finds a layer's table of contents by its footer, reads it, and compares it with the tar in a second pass."""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace

from policy.inspection.archive.compression import Meter, uncompressed
from policy.inspection.archive.pieces import Pieces
from policy.inspection.archive.tar import FILE, Members
from policy.inspection.archive.zstandard import zstd
from policy.inspection.budgets import Budgets, LayerRefused, over_budget
from policy.inspection.contents.agreement import INDEX, Agreement
from policy.inspection.contents.entries import TableEntries
from policy.inspection.contents.footers import (
    FRAME_HEADER,
    Blob,
    Footer,
    TocMismatch,
    find,
    kind_at,
)
from policy.inspection.contents.frames import Frames
from policy.inspection.layer.contents_table import ESTARGZ, ContentsTable
from policy.inspection.layer.report import LayerInspection

_PIECE = 256 * 1024
_TAR_END = 2048
_GZIP = b"\x1f\x8b"
_SKIPPABLE = b"\x50\x2a\x4d\x18"
_FRAMES_A_MEMBER = 4
_FRAMES_AT_LEAST = 1 << 20


class LayerFile:
    """A whole layer in an open file; does not move the descriptor's file offset."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._next = 0
        self.size = size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes from `offset` on.

        Raises:
            OSError: they are not there.
        """
        content = os.pread(self._descriptor, count, offset)
        while len(content) < count:
            piece = os.pread(self._descriptor, count - len(content), offset + len(content))
            if not piece:
                raise OSError("the layer's file has become shorter")
            content += piece
        return content

    def read(self, size: int, /) -> bytes:
        """The next bytes, b"" at the end."""
        piece = os.pread(self._descriptor, min(size, self.size - self._next), self._next)
        self._next += len(piece)
        return piece


def with_contents_table(
    inspection: LayerInspection, descriptor: int, size: int, budgets: Budgets | None = None
) -> LayerInspection:
    """The inspection of a layer, with its table of contents if it has one.

    Args:
        inspection: of the layer, read to its end.
        descriptor: the open file of the whole layer.
        size: its bytes.
        budgets: what the second pass may cost; the defaults when `None`.
    """
    if inspection.problem is not None:
        return inspection
    blob = LayerFile(descriptor, size)
    try:
        footer = find(blob)
    except TocMismatch as mismatch:
        return replace(inspection, contents_table=ContentsTable(kind_at(blob), str(mismatch)))
    if footer is None:
        return inspection
    return replace(inspection, contents_table=_compared(blob, footer, budgets or Budgets()))


def _compared(blob: LayerFile, footer: Footer, budgets: Budgets) -> ContentsTable:
    table = ContentsTable(footer.kind, "", footer.offset, footer.length, footer.unpacked, tar_split=footer.tar_split)
    try:
        packed = _packed(blob, footer, budgets)
        raw = _unpacked_index(packed, budgets) if footer.kind == ESTARGZ else _unpacked_frame(packed, footer, budgets)
        table = replace(table, unpacked=len(raw), packed_digest=_digest(packed), digest=_digest(raw))
        del packed
        entries = TableEntries(raw)
        del raw
        frames = Frames(max(_FRAMES_AT_LEAST, _FRAMES_A_MEMBER * budgets.members))
        pieces = Pieces(_timed(uncompressed(blob, Meter(budgets, began=frames.began)), budgets.cpu_seconds))
        Agreement(footer, entries, Members(pieces, budgets), frames).check()
    except TocMismatch as mismatch:
        return replace(table, disagreement=str(mismatch))
    except LayerRefused as refused:
        return replace(table, disagreement=refused.message)
    except MemoryError:
        return replace(table, disagreement="comparing it needs more memory than an inspection is given")
    return table


def _packed(blob: Blob, footer: Footer, budgets: Budgets) -> bytes:
    if max(footer.length, footer.unpacked) > budgets.contents_table_bytes:
        raise _too_large(budgets)
    if footer.kind != ESTARGZ:
        wanted = _SKIPPABLE + footer.length.to_bytes(4, "little")
        if blob.read_at(footer.offset - FRAME_HEADER, FRAME_HEADER) != wanted:
            raise TocMismatch("the footer names a place that is not a frame of its own")
    return blob.read_at(footer.offset, footer.length)


def _unpacked_frame(packed: bytes, footer: Footer, budgets: Budgets) -> bytes:
    """The JSON of a zstd:chunked table: one zstd frame."""
    decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: budgets.window_log})
    try:
        raw = decoder.decompress(packed, footer.unpacked + 1)
    except zstd.ZstdError:
        raise TocMismatch("it is not compressed as zstd is") from None
    if not decoder.eof or decoder.unused_data or len(raw) != footer.unpacked:
        raise TocMismatch("it is longer or shorter than the footer says")
    return raw


def _unpacked_index(packed: bytes, budgets: Budgets) -> bytes:
    """The JSON of an eStargz table: the only member of a small tar."""
    if not packed.startswith(_GZIP):
        raise TocMismatch("what the footer names is not compressed as gzip")
    source = _Bytes(packed)
    limits = replace(budgets, uncompressed_bytes=budgets.contents_table_bytes + _TAR_END)
    try:
        return _index_alone(Members(Pieces(uncompressed(source, Meter(limits))), limits))
    except LayerRefused as refused:
        if refused.reason == "budget":
            raise _too_large(budgets) from None
        raise


def _index_alone(members: Members) -> bytes:
    raw = b""
    for member in members:
        if member.name != INDEX or member.kind != FILE or member.sparse or member.pax or raw:
            raise TocMismatch(f"what the footer names is not {INDEX.decode()!r} alone")
        raw = members.body(member.size)
    return raw


class _Bytes:
    """Bytes in memory as a source."""

    def __init__(self, content: bytes) -> None:
        self._left = memoryview(content)

    def read(self, size: int, /) -> bytes:
        piece = bytes(self._left[:size])
        self._left = self._left[size:]
        return piece


def _timed(pieces: Iterator[bytes], seconds: float) -> Iterator[bytes]:
    started = time.thread_time()
    for piece in pieces:
        if time.thread_time() - started > seconds:
            raise over_budget(f"comparing it takes more than {seconds:g} seconds of processor time")
        yield piece


def _too_large(budgets: Budgets) -> TocMismatch:
    return TocMismatch(f"it is larger than {budgets.contents_table_bytes} bytes")


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
