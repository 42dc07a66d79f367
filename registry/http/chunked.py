"""The chunked transfer coding (RFC 9112 section 7.1), decoded strictly and without copying."""

import re

_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})((?:[ \t]*;[\t -~\x80-\xff]*)?)")
_SEPARATOR = re.compile(rb"\r\n([0-9a-fA-F]{1,15})(?:;[\t -~\x80-\xff]{0,1000})?\r\n")
"""The end of a chunk and the size of the next, as nearly all are sent: read in one step, for there may be many."""
LINE = 4096
"""The most bytes of a chunk's size line with its extensions."""
SHORT = 64
"""Bytes searched first for the end of a line; hardly any line is longer."""
TRAILERS = 16384
"""The most bytes of all trailer lines together."""


class ChunkRefused(Exception):
    """The coding is broken; nothing after this point can be trusted, so the connection must end."""


class ChunkedDecoder:
    """Decodes a stream piece by piece.

    `feed` returns slices of its argument; they are valid as long as the caller's buffer is.
    """

    def __init__(self) -> None:
        self._left = 0  # missing bytes of the present chunk
        self._line = bytearray()  # an unfinished size or trailer line
        self._awaits_end = False  # the CR LF behind a chunk's data
        self._trailers = -1  # bytes of trailer lines; -1 before the last chunk
        self.complete = False

    @property
    def left(self) -> int:
        """Missing bytes of the present chunk."""
        return self._left

    def feed(self, data: memoryview) -> tuple[list[memoryview], memoryview]:
        """The content in `data`, and the bytes after the end of the body (empty until then).

        Raises:
            ChunkRefused: a size, a line end or a trailer is malformed or too long.
        """
        pieces: list[memoryview] = []
        position, end = 0, len(data)
        while position < end and not self.complete:
            if self._left:
                piece = data[position : position + self._left]
                position += len(piece)
                self._left -= len(piece)
                self._awaits_end = self._left == 0
                pieces.append(piece)
            elif self._awaits_end and not self._line and (found := _SEPARATOR.match(data, position)):
                position = found.end()
                self._awaits_end = False
                self._begin(int(found[1], 16))
            else:
                position += self._read_line(data[position:])
        return pieces, data[position:]

    def _read_line(self, data: memoryview) -> int:
        """Read one line, or the part of it in `data`; returns its number of bytes."""
        limit = LINE if self._trailers < 0 else TRAILERS
        head = bytes(data[:SHORT])
        if b"\n" not in head:
            head = bytes(data[: limit + 2])
        end = head.find(b"\n")
        self._line += head if end < 0 else head[: end + 1]
        if len(self._line) > limit + 2:
            raise ChunkRefused("a line of the chunked coding is too long")
        if end < 0:
            if b"\r" in self._line[:-1]:
                raise ChunkRefused("a CR without LF in the chunked coding")
            return len(head)
        if not self._line.endswith(b"\r\n") or b"\r" in self._line[:-2]:
            raise ChunkRefused("a line of the chunked coding does not end with CR LF")
        line, self._line = bytes(self._line[:-2]), bytearray()
        self._take(line)
        return end + 1

    def _take(self, line: bytes) -> None:
        if self._awaits_end:
            if line:
                raise ChunkRefused("a chunk is longer than its size says")
            self._awaits_end = False
        elif self._trailers >= 0:
            self._take_trailer(line)
        else:
            match = _SIZE.fullmatch(line)
            if match is None:
                raise ChunkRefused("a chunk size is malformed")
            self._begin(int(match.group(1), 16))

    def _begin(self, size: int) -> None:
        """Begin a chunk; the last one has no bytes."""
        self._left = size
        if not size:
            self._trailers = 0

    def _take_trailer(self, line: bytes) -> None:
        """Trailers are read and dropped (RFC 9110 section 6.5.1)."""
        self._trailers += len(line) + 2
        if self._trailers > TRAILERS:
            raise ChunkRefused("the trailers of a chunked body are too long")
        self.complete = not line
        if line and _TRAILER.fullmatch(line) is None:
            raise ChunkRefused("a trailer line is malformed")


_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*")
