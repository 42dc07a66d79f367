"""Noticing that files change, however they are replaced: written, renamed over, or behind a swapped link."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

_Print = tuple[int, int, int] | None

# Folders report changes at once; network folders do not, nor are earlier changes reported: then polling helps.
_LOOK_MILLISECONDS = 2000


class FileWatch:
    """Watches some files."""

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._before: list[_Print] = []
        self._ended = False
        self._interrupted = asyncio.Event()

    def watch(self, files: Iterable[Path]) -> None:
        """Watch these files from now on, and no others; they need not exist, their folders must."""
        self._files = list(files)
        self._before = self._prints()
        self._interrupted.set()

    async def changes(self) -> AsyncIterator[None]:
        """Yield once after each change of a file's content or identity, until stopped or without files."""
        # Watch folders, not files: a watch on a file is lost when another file replaces it.
        while not self._ended and (folders := {file.absolute().parent for file in self._files}):
            self._interrupted.clear()
            async for _ in self._looks(folders):
                now = self._prints()
                if now != self._before:
                    self._before = now
                    yield

    def stop(self) -> None:
        """End `changes` soon. Cancelling alone would wait for the watcher's next poll."""
        self._ended = True
        self._interrupted.set()

    async def _looks(self, folders: Iterable[Path]) -> AsyncIterator[object]:
        """Yield when the files have to be checked, until interrupted."""
        from watchfiles import awatch  # noqa: PLC0415  loading it costs start-up time

        async for changes in awatch(
            *folders,
            recursive=False,
            debounce=200,
            step=50,
            rust_timeout=_LOOK_MILLISECONDS,
            yield_on_timeout=True,
            stop_event=self._interrupted,
        ):
            yield changes

    def _prints(self) -> list[_Print]:
        return [_print_of(file) for file in self._files]


def _print_of(file: Path) -> _Print:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
