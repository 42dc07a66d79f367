"""The framing of one request's body: which of the arriving bytes belong to it."""

from registry.http.chunked import ChunkedDecoder
from registry.http.request_head import Head


class Framing:
    """Content-Length, chunks, or no body at all.

    Attributes:
        came: bytes of the body that have been fed, its coding included.
    """

    def __init__(self, head: Head) -> None:
        self.came = 0
        self._left = head.length or 0
        self._chunks = ChunkedDecoder() if head.length is None else None

    @property
    def complete(self) -> bool:
        """Whether the whole body has been fed."""
        return self._left == 0 if self._chunks is None else self._chunks.complete

    @property
    def wanted(self) -> int | None:
        """How many bytes may be read without reading past the body; `None` when only the coding itself will tell."""
        return self._left if self._chunks is None else None

    def short(self, maximum: int) -> bool:
        """Whether what is still to come is known and no more than `maximum` bytes."""
        return self.complete or (self._chunks is None and self._left <= maximum)

    def arrives_with(self, count: int) -> bool:
        """Whether the next `count` bytes are certainly the whole rest of the body."""
        return self.short(count)

    def feed(self, data: memoryview) -> tuple[list[memoryview], memoryview]:
        """The content in `data`, and the bytes behind the body's end.

        Raises:
            ChunkRefused: the chunked coding is broken.
        """
        if self._chunks is not None:
            pieces, rest = self._chunks.feed(data)
            self.came += len(data) - len(rest)
            return pieces, rest
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        self.came += len(piece)
        return [piece] if piece else [], rest
