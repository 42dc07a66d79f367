"""Blocks, bodies and skips over a stream of pieces, without copying bytes that nobody reads."""

from collections.abc import Iterator

from policy.inspection.budgets import damaged

BLOCK = 512


def padded(size: int) -> int:
    """The size of a body rounded up to whole blocks."""
    return (size + BLOCK - 1) & -BLOCK


class Pieces:
    """A cursor over a stream that comes in pieces of any length."""

    __slots__ = ("_piece", "_pieces", "_position", "_start")

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._position = 0
        self._start = 0

    @property
    def offset(self) -> int:
        """The position of the cursor, in bytes from the start of the stream."""
        return self._start + self._position

    def _next(self) -> bool:
        self._start += len(self._piece)
        self._piece = next(self._pieces, b"")
        self._position = 0
        return bool(self._piece)

    def block(self) -> bytes:
        """The next 512 bytes; b"" when the stream ends here.

        Raises:
            LayerRefused: the stream ends inside the block.
        """
        start = self._position
        block = self._piece[start : start + BLOCK]
        if len(block) == BLOCK:
            self._position = start + BLOCK
            return block
        while len(block) < BLOCK and self._next():
            self._position = BLOCK - len(block)
            block += self._piece[: self._position]
        self._position = min(self._position, len(self._piece))
        if block and len(block) < BLOCK:
            raise damaged(f"the archive ends at byte {self.offset}, inside a block of 512 bytes")
        return block

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            LayerRefused: the stream ends before.
        """
        first = self._piece[self._position : self._position + size]
        self._position += len(first)
        if len(first) == size:
            return first
        parts = [first]
        missing = size - len(first)
        while missing:
            if not self._next():
                raise damaged(f"the archive ends at byte {self.offset}, {missing} bytes before the end of a body")
            part = self._piece[:missing]
            self._position = len(part)
            missing -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, size: int) -> None:
        """Go on by `size` bytes.

        Raises:
            LayerRefused: the stream ends before.
        """
        ahead = self._position + size
        while ahead > len(self._piece):
            ahead -= len(self._piece)
            if not self._next():
                raise damaged(f"the archive ends at byte {self.offset}, {ahead} bytes before the end of a body")
        self._position = ahead

    def holds(self, size: int, needles: tuple[bytes, ...]) -> bool | None:
        """Whether the next `size` bytes contain one of `needles`; `None` when they span several pieces."""
        end = self._position + size
        if end > len(self._piece):
            return None
        piece, start = self._piece, self._position
        for needle in needles:  # noqa: SIM110 -- a generator costs more than both searches, for every small file
            if piece.find(needle, start, end) >= 0:
                return True
        return False

    def drain(self) -> None:
        """Read the stream to its end, so that its checksums are verified."""
        while self._next():
            pass
