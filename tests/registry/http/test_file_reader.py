"""Files in pieces: from memory or from the disk, always the bytes that were asked for."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.http.file_reader import FETCHED, PIECE, read_cached, read_window
from registry.http.sendfile import Window

CONTENT = bytes(range(256)) * 20_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of several pieces that has reached the disk."""
    path = tmp_path / "file"
    with path.open("wb") as opened:
        opened.write(CONTENT)
        opened.flush()
        os.fsync(opened.fileno())
    return path


def pieces_of(window: Window) -> list[bytes]:
    """All pieces of a window."""

    async def read() -> list[bytes]:
        with ThreadPoolExecutor(1) as pool:
            return [bytes(piece) async for piece in read_window(window, pool)]

    return asyncio.run(read())


def forget(file: Path) -> None:
    """Let the kernel drop its copy of the file, where it is willing to."""
    with file.open("rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(("start", "count"), [(0, len(CONTENT)), (3, 1), (PIECE - 1, PIECE + 2)])
def test_the_window_comes_whole(file: Path, start: int, count: int, in_memory: bool) -> None:
    """Wherever its bytes have to come from, in pieces within bounds."""
    if not in_memory:
        forget(file)
    pieces = pieces_of(Window(file, start, count))
    assert b"".join(pieces) == CONTENT[start : start + count]
    assert max(map(len, pieces)) <= FETCHED


def test_a_file_that_ends_early_is_an_error(file: Path) -> None:
    """What was promised to the client cannot be kept."""
    with pytest.raises(OSError, match="ends at byte"):
        pieces_of(Window(file, 0, len(CONTENT) + 1))


def test_what_cannot_be_read_at_once_is_left_to_a_worker() -> None:
    """A descriptor that knows no such reading gives nothing rather than an error."""
    reading, writing = os.pipe()
    assert read_cached(reading, 10, 0) == b""
    os.close(reading)
    os.close(writing)
