"""A click group that imports commands on use, the final error handler, and exit codes.

Exit codes of every command: 0 done, or yes; 1 the answer is no (denied, evidence wrong); 2 it could not be done or
told; 130 interrupted (Ctrl-C).
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
from click.shell_completion import CompletionItem

from policy.cli.examples import with_examples
from registry.errors import BasegateError
from registry.server.quick_imports import quick_imports
from registry.storage.disk.ownership import acting

COULD_NOT, INTERRUPTED = 2, 130


class OutputLost(BasegateError):
    """The output could not be written."""


class Commands(click.Group):
    """A group of commands named as `module:attribute`, so that one runs without importing the others.

    Args:
        places: of the commands by name.
        summaries: what each does, as its own short help says; lists of commands import none of them.
        attributes: of a `click.Group`.
    """

    def __init__(self, places: Mapping[str, str], summaries: Mapping[str, str], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self._places = places
        self._summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The table's order."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        place = self._places.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        with quick_imports():
            command: click.Command = getattr(import_module(module), attribute)
        return with_examples(command, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._summaries[name]) for name in self._places])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that begin so."""
        names = [name for name in self._places if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=self._summaries[name]) for name in names]
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was named; for a mistyped one, the message names those that are alike."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=self._places, ctx=ctx) from None

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and end the process with its exit code; errors never end with 0 or 1."""
        run = partial(super().main, args, prog_name, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        sys.exit(_ending(run))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the arguments, and print help if asked."""
        with _output_counts():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        with _output_counts():
            return super().invoke(ctx)


def _ending(run: Callable[[], Any]) -> int:
    """Run the command, print errors for people, and return the exit code."""
    try:
        code = _code(run)
        _flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last catch
        code = INTERRUPTED if _interrupted(error) else COULD_NOT
        with suppress(OSError, ValueError):
            _tell(error, code)
    let_go()
    return code


def _code(run: Callable[[], Any]) -> int:
    try:
        ended = run()
    except SystemExit as ending:
        ended = ending.code
    return ended if isinstance(ended, int) else 0 if ended is None else COULD_NOT


@contextmanager
def _output_counts() -> Iterator[None]:
    """Raise OutputLost for a closed pipe; click would exit with 1, which means "no"."""
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
        return f"could not go on: {error.strerror}{acting()}{where}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name} line {frame.lineno}"
    fault = f"{type(error).__name__} in {place}: {error}"
    return f"could not go on ({fault}): run again with PYTHONDEVMODE=1 in the environment to see where, and report it"


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C caused the error; click replaces it with its own."""
    seen: set[int] = set()
    # Errors raised again in a handler may form a cycle.
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _flush() -> None:
    """Flush the output, so that the exit code tells whether it was written."""
    if sys.stdout is not None:
        sys.stdout.flush()


def let_go() -> None:
    """Discard output that cannot be written: it would be tried again at exit, and set another exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
