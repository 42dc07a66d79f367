"""Pieces of a stream as an archive wants them: blocks, bodies and skips, without copying what nobody looks at."""

from collections.abc import Iterator

from policy.inspection.budgets import damaged

BLOCK = 512


def padded(size: int) -> int:
    """The bytes a body of this size takes, filled up to whole blocks."""
    return (size + BLOCK - 1) & -BLOCK


class Pieces:
    """A cursor over a stream that comes in pieces of any length."""

    __slots__ = ("_at", "_piece", "_pieces", "_start")

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._at = 0
        self._start = 0

    @property
    def offset(self) -> int:
        """The cursor's place in the stream, in bytes from its beginning."""
        return self._start + self._at

    def _next(self) -> bool:
        self._start += len(self._piece)
        self._piece = next(self._pieces, b"")
        self._at = 0
        return bool(self._piece)

    def block(self) -> bytes:
        """The next 512 bytes; b"" when the stream ends here.

        Raises:
            LayerRefused: the stream ends inside the block.
        """
        at = self._at
        found = self._piece[at : at + BLOCK]
        if len(found) == BLOCK:
            self._at = at + BLOCK
            return found
        while len(found) < BLOCK and self._next():
            self._at = BLOCK - len(found)
            found += self._piece[: self._at]
        self._at = min(self._at, len(self._piece))
        if found and len(found) < BLOCK:
            raise damaged(f"the archive ends at byte {self.offset}, inside a block of 512 bytes")
        return found

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            LayerRefused: the stream ends before.
        """
        found = self._piece[self._at : self._at + size]
        self._at += len(found)
        if len(found) == size:
            return found
        parts = [found]
        missing = size - len(found)
        while missing:
            if not self._next():
                raise damaged(f"the archive ends at byte {self.offset}, {missing} bytes before the end of a body")
            part = self._piece[:missing]
            self._at = len(part)
            missing -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, size: int) -> None:
        """Go on by `size` bytes.

        Raises:
            LayerRefused: the stream ends before.
        """
        ahead = self._at + size
        while ahead > len(self._piece):
            ahead -= len(self._piece)
            if not self._next():
                raise damaged(f"the archive ends at byte {self.offset}, {ahead} bytes before the end of a body")
        self._at = ahead

    def holds(self, size: int, needles: tuple[bytes, ...]) -> bool | None:
        """Whether one of `needles` stands in the next `size` bytes; `None` when they are not all in this piece."""
        end = self._at + size
        if end > len(self._piece):
            return None
        piece, at = self._piece, self._at
        for needle in needles:  # noqa: SIM110 -- a generator costs more than both searches, for every small file
            if piece.find(needle, at, end) >= 0:
                return True
        return False

    def drain(self) -> None:
        """Read the stream to its end, so that whatever verifies it sees every byte."""
        while self._next():
            pass
