"""The audit of commands: who changed what in a data folder, as lines beside those of requests.

A line has the members of a request's line, and `detail`: `action` is the command, `method` is COMMAND, `name` the user
of the operating system, `status` the exit code. A running server that finds such a line in its audit log logs it.
"""

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from registry.cli.data_folder import settings_of
from registry.errors import BasegateError, reason_of

if TYPE_CHECKING:
    from registry.config.settings import RegistrySettings
    from registry.telemetry.audit_file import AuditFile

P = ParamSpec("P")
T = TypeVar("T")

_NOTES = "basegate.audit"
_COULD_NOT, _INTERRUPTED = 2, 130
_SELDOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_OF_THE_ANSWER = frozenset({"data", "as_json", "yes"})
"""Parameters that say nothing of what is done."""
_REACHING = frozenset({"username", "password", "password_stdin", "ca_file", "plain_http"})
"""How a registry is reached, and by whom; the environment has them for every command."""
_MEMBERS = ("repository", "reference", "digest")


class AuditUnwritable(BasegateError):
    """The command could not be recorded in the audit log."""


def audited(
    action: str, when: Callable[[Mapping[str, Any]], bool] = lambda _parameters: True
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Record a command in the audit log; the command needs the options of `data_option`.

    Args:
        action: the command, as `principal.create`.
        when: whether a call with these parameters changes anything.
    """

    def decorate(command: Callable[P, T]) -> Callable[P, T]:
        @wraps(command)
        def run(*arguments: P.args, **given: P.kwargs) -> T:
            context = click.get_current_context()
            if not when(context.params):
                return command(*arguments, **given)
            with recorded(context, action):
                return command(*arguments, **given)

        return run

    return decorate


def note(**notes: str) -> None:
    """Add to the line of the running command: `repository`, `reference`, `digest`, or a word of its detail."""
    click.get_current_context().meta.setdefault(_NOTES, {}).update(notes)


def record_lines(settings: "RegistrySettings", lines: Sequence[Mapping[str, Any]]) -> None:
    """Append lines for the parts of a command that did many things; a line that cannot be written is a warning."""
    file = _opened(settings) if lines else None
    if file is not None:
        _write(file, *lines)


@contextmanager
def recorded(context: click.Context, action: str) -> Iterator[None]:
    """Record the block in the audit log of the data folder that the command works on, with how it ended.

    Raises:
        AuditUnwritable: the log cannot be written; the block is not run.
    """
    settings = settings_of(context)
    # Opened before any change: a command that cannot be recorded is not run.
    file = _opened(settings)
    status, reason = 0, ""
    try:
        yield
    except click.exceptions.Exit as ending:
        status = ending.exit_code
        raise
    except BaseException as error:
        status = _INTERRUPTED if isinstance(error, KeyboardInterrupt) else _COULD_NOT
        reason = reason_of(error)
        raise
    finally:
        if file is None:
            with suppress(BasegateError):  # the change cannot be undone
                file = _opened(settings)
        if file is not None:
            from registry.telemetry.audit import command_line_of  # noqa: PLC0415 - slow to import

            _write(file, command_line_of(action, status, reason, _members(context)))


def _opened(settings: "RegistrySettings") -> "AuditFile | None":
    """The audit log; `None` when there is no registry, the log is off, or the disk is full."""
    from registry.metadata.elsewhere import marked  # noqa: PLC0415 - slow to import
    from registry.metadata.open_store import FILE_NAME, require_known_revision  # noqa: PLC0415
    from registry.storage.disk.ownership import act_as_owner  # noqa: PLC0415
    from registry.telemetry.audit_file import AuditFile  # noqa: PLC0415

    if not settings.audit.enabled or not ((settings.data / FILE_NAME).is_file() or marked(settings.data)):
        return None
    act_as_owner(settings.data)
    require_known_revision(settings.data)
    path = settings.data / settings.audit.file
    try:
        return AuditFile(path)
    except OSError as error:
        if error.errno in _SELDOM:
            return None
        raise AuditUnwritable(
            f"the audit log {path} cannot be written ({error.strerror}): nothing was done: let the owner of the data "
            "folder run the command, or name the server's settings file with --config"
        ) from error


def _write(file: "AuditFile", *lines: Mapping[str, Any]) -> None:
    from registry.telemetry.audit import append_lines  # noqa: PLC0415 - slow to import

    try:
        reason = "" if append_lines(file, lines) else "another process holds its lock"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        click.echo(f"warning: this is not in the audit log: {reason}", err=True)


def _members(context: click.Context) -> dict[str, str]:
    declared = [str(option.name) for option in context.command.params if option.name in context.params]
    order = [*(name for name in context.params if name not in declared), *declared]
    parameters = {name: _text(context.params[name]) for name in order if name not in _OF_THE_ANSWER | _REACHING}
    notes: dict[str, str] = context.meta.get(_NOTES, {})
    members = {name: text for name, text in (parameters | notes).items() if name in _MEMBERS}
    unsaid = {*_MEMBERS, "image"} if members else set(_MEMBERS)
    words = [f"{name}={text}" for name, text in (parameters | notes).items() if text and name not in unsaid]
    return {**members, "detail": " ".join(words)}


def _text(value: object) -> str:
    if value is None or value is False or value == ():
        return ""
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return str(value) if not isinstance(value, Path) else str(value.absolute())
