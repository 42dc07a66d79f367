"""Writes lines to a file or stream: one write for the lines of one iteration of the event loop."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache


class LineWriter:
    """Collects lines; separate writes would release the interpreter's lock hundreds of times a second.

    Args:
        write: takes the text of several lines, line ends included.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Write a line (without its end) in the next iteration of the event loop, or at once without a loop."""
        self._lines.append(line)
        if len(self._lines) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:
            self.flush()

    def flush(self) -> None:
        """Write the collected lines."""
        lines, self._lines = self._lines, []
        if lines:
            self._write("".join([f"{line}\n" for line in lines]))


@lru_cache(maxsize=2)
def second_in_words(second: int) -> str:
    """A second since the epoch as `2006-01-02T15:04:05` in UTC; cached, as most lines share it."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
