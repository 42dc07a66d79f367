"""How the command line finds its commands, by a table of places, and how it ends: the last catch, and exit codes.

Exit codes of every command: 0 done, or yes; 1 the answer is no (denied, evidence wrong); 2 it could not be done or
told, whatever the reason; 130 interrupted (Ctrl-C).
"""

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from registry.errors import BasegateError

COULD_NOT, INTERRUPTED = 2, 130


class OutputLost(BasegateError):
    """What a command had to say reached nobody."""


class Commands(click.Group):
    """A group whose commands are named as `module:attribute`, so that starting one does not import the others."""

    def __init__(self, places: Mapping[str, str], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The table's order."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        place = self._places.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and end the process with its exit code; nothing that goes wrong looks like an answer."""
        run = partial(super().main, args, prog_name, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        sys.exit(_ending(run))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the arguments, and print help when that is asked for."""
        with _output_counts():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        with _output_counts():
            return super().invoke(ctx)


def _ending(run: Callable[[], Any]) -> int:
    """Run to the end, tell a person what went wrong, and give the exit code."""
    try:
        code = _code(run)
        _flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last catch
        code = INTERRUPTED if _interrupted(error) else COULD_NOT
        with suppress(OSError, ValueError):
            _tell(error, code)
    _let_go()
    return code


def _code(run: Callable[[], Any]) -> int:
    try:
        ended = run()
    except SystemExit as ending:
        ended = ending.code
    return ended if isinstance(ended, int) else 0 if ended is None else COULD_NOT


@contextmanager
def _output_counts() -> Iterator[None]:
    """A pipe that nobody reads is an error as any other; click by itself would end with 1, which means "no"."""
    try:
        yield
    except BrokenPipeError as error:
        raise OutputLost("nobody reads what was to be said (broken pipe)") from error


def _tell(error: BaseException, code: int) -> None:
    if isinstance(error, click.ClickException):
        error.show()
    elif code == INTERRUPTED or isinstance(error, click.Abort):
        click.echo("basegate: interrupted" if code == INTERRUPTED else "basegate: nothing was done", err=True)
    else:
        click.echo(f"basegate: {' '.join(_sentence(error).split())}", err=True)
        if sys.flags.dev_mode:
            traceback.print_exception(error)


def _sentence(error: BaseException) -> str:
    if isinstance(error, BasegateError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"could not go on: {error.strerror}{where}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name} line {frame.lineno}"
    fault = f"{type(error).__name__} in {place}: {error}"
    return f"could not go on ({fault}): run again with PYTHONDEVMODE=1 in the environment to see where, and report it"


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is what it began with; click turns it into an error of its own."""
    seen: set[int] = set()
    # Errors that were raised again in another's handler may lead back to themselves.
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _flush() -> None:
    """What was said must have left before the exit code says that it was."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _let_go() -> None:
    """Drop what cannot be written: the interpreter would try once more, and end with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
