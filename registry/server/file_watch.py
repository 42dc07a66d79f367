"""Noticing that files change, however they are replaced: written, renamed over, or behind a swapped link."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from watchfiles import awatch

Print = tuple[int, int, int] | None


async def changes(files: Iterable[Path]) -> AsyncIterator[None]:
    """Yield once after each change of any of the files' content or identity."""
    watched = list(files)
    # The folders are watched, not the files: a file that is renamed over takes its watch along.
    folders = {file.absolute().parent for file in watched}
    if not folders:
        return
    before = [_print_of(file) for file in watched]
    async for _ in awatch(*folders, recursive=False, debounce=200, step=50):
        now = [_print_of(file) for file in watched]
        if now != before:
            before = now
            yield


def _print_of(file: Path) -> Print:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
