"""The framing of a request's body: which of the received bytes belong to it."""

from registry.http.chunked import ChunkedDecoder
from registry.http.request_head import Head


class Framing:
    """Content-Length, chunks, or no body at all.

    Attributes:
        received: bytes of the body that have been fed, including the chunked coding.
    """

    def __init__(self, head: Head) -> None:
        self.received = 0
        self._left = head.length or 0
        self._chunks = ChunkedDecoder() if head.length is None else None

    @property
    def complete(self) -> bool:
        """Whether the whole body has been fed."""
        return self._left == 0 if self._chunks is None else self._chunks.complete

    @property
    def wanted(self) -> int | None:
        """How many bytes can be read without reading past the body; `None` for chunks, where that is unknown."""
        return self._left if self._chunks is None else None

    def short(self, maximum: int) -> bool:
        """Whether at most `maximum` bytes are known to follow."""
        return self.complete or (self._chunks is None and self._left <= maximum)

    def arrives_with(self, count: int) -> bool:
        """Whether the next `count` bytes complete the body for certain."""
        return self.short(count)

    def feed(self, data: memoryview) -> tuple[list[memoryview], memoryview]:
        """The content in `data`, and the bytes behind the body's end.

        Raises:
            ChunkRefused: the chunked coding is broken.
        """
        if self._chunks is not None:
            pieces, rest = self._chunks.feed(data)
            self.received += len(data) - len(rest)
            return pieces, rest
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        self.received += len(piece)
        return [piece] if piece else [], rest
