"""Byte ranges: `Range` on reads (RFC 9110 section 14) and `Content-Range` on chunks (distribution-spec, "Chunked")."""

import re
from dataclasses import dataclass

from starlette.requests import Request

from registry.oci.errors import BlobUploadInvalid, RangeNotSatisfiable, SizeInvalid

_READ = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,19})-([0-9]{0,19})[ \t]*", re.IGNORECASE)
_MEMBER = re.compile(r"([0-9]{0,19})-([0-9]{0,19})")
_LIST = re.compile(r"bytes[ \t]*=([0-9, \t-]*)", re.IGNORECASE)
_CHUNK = re.compile(r"(?:bytes[ ])?([0-9]{1,19})-([0-9]{1,19})(?:/(?:[0-9]{1,19}|\*))?")
_LENGTH = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Window:
    """`length` bytes from `start` of content that is `total` bytes long."""

    start: int
    length: int
    total: int

    @property
    def content_range(self) -> str:
        """The Content-Range of a 206."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.total}"


def read_window(text: str, total: int) -> Window | None:
    """The one range in a `Range` header, clipped to the content; `None`: serve all of it.

    Other units and malformed headers give `None` (RFC 9110); for a list of ranges use `read_windows`.

    Raises:
        RangeNotSatisfiable: it begins past the end, is reversed, or asks for the last 0 bytes (416).
    """
    match = _READ.fullmatch(text)
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        start, end = max(0, total - int(last)), total - 1
    else:
        start, end = int(first), min(int(last), total - 1) if last else total - 1
    if start > end or (last and first and int(first) > int(last)):
        raise _outside(text, total)
    return Window(start, end - start + 1, total)


def read_windows(text: str, total: int, maximum: int) -> tuple[Window, ...]:
    """The ranges in a `Range` header, in its order, without those outside the content; empty: serve all of it.

    Empty too for more than `maximum` ranges, and for ranges that sum to more bytes than the content: RFC 9110 (section
    14.2) lets a server ignore ranges that cost more than the whole.

    Raises:
        RangeNotSatisfiable: none of them lies within the content (416).
    """
    if not asks_for_several(text):
        window = read_window(text, total)
        return () if window is None else (window,)
    match = _LIST.fullmatch(text)
    members = [] if match is None else [member.strip() for member in match.group(1).split(",") if member.strip()]
    if len(members) == 1:
        return read_windows(f"bytes={members[0]}", total, maximum)
    if not members or len(members) > maximum or not all(map(_is_range, members)):
        return ()
    windows = tuple(window for member in members if (window := _within(member, total)) is not None)
    if not windows:
        raise _outside(text, total)
    return windows if sum(window.length for window in windows) <= total else ()


def asks_for_several(text: str) -> bool:
    """Whether a `Range` header is a list."""
    return "," in text


def _is_range(member: str) -> bool:
    match = _MEMBER.fullmatch(member)
    if match is None or member == "-":
        return False
    first, last = match.groups()
    return not first or not last or int(first) <= int(last)


def _within(member: str, total: int) -> Window | None:
    try:
        return read_window(f"bytes={member}", total)
    except RangeNotSatisfiable:
        return None


def _outside(text: str, total: int) -> RangeNotSatisfiable:
    return RangeNotSatisfiable(
        f"range {text[:64]!r} lies outside the {total} bytes of the content",
        {"range": text[:64], "size": total},
        {"Content-Range": f"bytes */{total}"},
    )


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk's declared start (`None`: the upload's current offset) and length in bytes (`None`: not declared)."""

    start: int | None
    length: int | None


def chunk_of(request: Request) -> Chunk:
    """The chunk that Content-Range and Content-Length of an upload request declare.

    Raises:
        BlobUploadInvalid: Content-Range is not `<start>-<end>`.
        SizeInvalid: the two disagree.
    """
    length = content_length_of(request)
    text = request.headers.get("content-range")
    if text is None:
        return Chunk(None, length)
    match = _CHUNK.fullmatch(text.strip())
    if match is None or int(match.group(2)) < int(match.group(1)):
        raise BlobUploadInvalid(f"Content-Range is {text[:64]!r}: needs <first byte>-<last byte>, like 0-1023")
    start, end = int(match.group(1)), int(match.group(2))
    if length not in {None, end - start + 1}:
        raise SizeInvalid(f"Content-Range {text[:64]} spans {end - start + 1} bytes, but Content-Length is {length}")
    return Chunk(start, end - start + 1)


def content_length_of(request: Request) -> int | None:
    """The declared body length; `None` for chunked transfer encoding.

    Raises:
        SizeInvalid: not a number.
    """
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not _LENGTH.fullmatch(text):
        raise SizeInvalid(f"Content-Length is {text[:64]!r}: needs a number of bytes")
    return int(text)
