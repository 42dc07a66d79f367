"""Progress of long work: a bar on a terminal, on standard error; nothing elsewhere."""

import sys
from types import TracebackType
from typing import Any, Self

from registry.cli.output import size


class ProgressBar:
    """A context manager; `tell` is told how far the work has come. The bar is drawn when there is something to say."""

    def __init__(self) -> None:
        self._bars: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def tell(self, what: str, done: int, total: int) -> None:
        """So many of what is being counted are done, of so many; 0: of how many is not known."""
        self._draw(f"{done} {what}", done, total)

    def tell_bytes(self, done: int, total: int) -> None:
        """So many bytes are done, of so many."""
        self._draw(f"{size(done)} of {size(total)}", done, total)

    def _draw(self, said: str, done: int, total: int) -> None:
        if sys.stderr is None or not sys.stderr.isatty():
            return
        if self._bars is None:
            self._bars = _bars()
            self._task = self._bars.add_task(said, total=None)
            self._bars.start()
        self._bars.update(self._task, description=said, completed=done, total=total or None)


def _bars() -> Any:
    from rich.console import Console  # noqa: PLC0415 - needed on a terminal only, and slow to import
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
