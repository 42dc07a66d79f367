"""Noticing that files change, however they are replaced: written, renamed over, or behind a swapped link."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

_Print = tuple[int, int, int] | None

# The folder tells of changes at once; should it not (network folders, a change before the watch began), we look.
_LOOK_MILLISECONDS = 2000


class FileWatch:
    """Follows some files from the moment it is made.

    Args:
        files: they need not exist; their folders must.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = list(files)
        self._before = self._prints()
        self._stopped = asyncio.Event()

    async def changes(self) -> AsyncIterator[None]:
        """Yield once after each change of any of the files' content or identity, until stopped."""
        # The folders are watched, not the files: a file that is renamed over takes its watch along.
        folders = {file.absolute().parent for file in self._files}
        if not folders:
            return
        from watchfiles import awatch  # noqa: PLC0415  loading it costs start-up time

        async for _ in awatch(
            *folders,
            recursive=False,
            debounce=200,
            step=50,
            rust_timeout=_LOOK_MILLISECONDS,
            yield_on_timeout=True,
            stop_event=self._stopped,
        ):
            now = self._prints()
            if now != self._before:
                self._before = now
                yield

    def stop(self) -> None:
        """End `changes` soon. Cancelling alone would wait for the watching thread's next look."""
        self._stopped.set()

    def _prints(self) -> list[_Print]:
        return [_print_of(file) for file in self._files]


def _print_of(file: Path) -> _Print:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
