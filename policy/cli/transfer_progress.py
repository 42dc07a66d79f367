"""Progress of a transfer: bars in bytes on a terminal, one JSON object a line for programs, nothing elsewhere."""

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import click

from registry.cli.output import line_for_programs, size
from registry.transfer.events import Event

_TELL_SECONDS = 0.2
_SHOWN = 19


class Progress:
    """A context manager; `hear` is the listener of a transfer.

    Args:
        as_json: one object a line on standard output.
        to_stderr: on standard error, as standard output has the content.
    """

    def __init__(self, *, as_json: bool, to_stderr: bool = False) -> None:
        self._as_json = as_json
        self._to_stderr = to_stderr
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._told = 0.0
        self.moved = 0
        self.there = 0

    def __enter__(self) -> Self:
        if not self._as_json and sys.stderr is not None and sys.stderr.isatty():
            self._bars = _bars()
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def hear(self, event: Event) -> None:
        """Something has happened."""
        if event.stage == "done":
            self.moved += event.size
        elif event.stage == "there":
            self.there += event.size
        if self._as_json:
            self._as_object(event)
        elif self._bars is not None:
            self._as_bar(event)

    def tell(self, line: str, document: Mapping[str, Any]) -> None:
        """Say something on standard output: a line for people, or an object for programs."""
        click.echo(line_for_programs(document) if self._as_json else line, err=self._to_stderr)

    def sum_up(self) -> None:
        """How much went over, for people."""
        if not self._as_json:
            click.echo(f"{size(self.moved)} copied, {size(self.there)} were there", err=True)

    def _as_object(self, event: Event) -> None:
        now = time.monotonic()
        if event.stage == "bytes" and now - self._told < _TELL_SECONDS:
            return
        self._told = now
        click.echo(line_for_programs(event.document()), err=self._to_stderr)

    def _as_bar(self, event: Event) -> None:
        if event.event != "blob":
            return
        if event.stage == "begun":
            self._tasks[event.digest] = self._bars.add_task(event.digest[:_SHOWN], total=event.size)
        elif event.stage == "bytes":
            self._bars.update(self._tasks[event.digest], completed=event.moved)
        elif event.stage == "done":
            self._bars.remove_task(self._tasks.pop(event.digest))


def _bars() -> Any:
    from rich.console import Console  # noqa: PLC0415 - needed on a terminal only, and slow to import
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
