"""Options of commands on a data folder, and what they ask of it; safe beside a running server."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from registry.errors import BasegateError

if TYPE_CHECKING:
    from registry.config.settings import RegistrySettings

F = TypeVar("F", bound=Callable[..., Any])


class NoRegistry(BasegateError):
    """There is no registry in the data folder."""


_CONFIG, _DATA, _SETTINGS = "basegate.config", "basegate.data", "basegate.settings"
"""Keys of a context's `meta`, which the commands of a group share with the group."""


def kind_of(context: click.Context) -> type["RegistrySettings"]:
    """The program's settings class: the result of the context's object, a function, or the registry's class."""
    given: Callable[[], type[RegistrySettings]] | None = context.find_root().obj
    return _registry_settings() if given is None else given()


def _registry_settings() -> type["RegistrySettings"]:
    from registry.config.settings import RegistrySettings  # noqa: PLC0415 - slow to import

    return RegistrySettings


def settings_of(context: click.Context) -> "RegistrySettings":
    """The settings for a command, from its flags, the environment and the settings file.

    Without a settings file, those that the folder's server was started with are used.

    Raises:
        SettingsError: a source is wrong.
    """
    settings: RegistrySettings | None = context.meta.get(_SETTINGS)
    if settings is None:
        settings = context.meta[_SETTINGS] = settings_with(context, {"data": context.meta.get(_DATA)})
    return settings


def settings_with(context: click.Context, flags: Mapping[str, object]) -> "RegistrySettings":
    """The settings for a command that sets some of them by itself.

    Args:
        context: of the command.
        flags: dotted keys to values, which count before all others; `None` for none.

    Raises:
        SettingsError: a source is wrong.
    """
    from registry.config.sources import load  # noqa: PLC0415 - slow to import
    from registry.server.settings_in_use import recorded  # noqa: PLC0415

    kind, file = kind_of(context), context.meta.get(_CONFIG)
    settings = load(kind, file, flags, os.environ)
    left = None if file else recorded(settings.data)
    return settings if left is None else load(kind, left, {**flags, "data": settings.data}, os.environ)


def _remember_file(context: click.Context, _option: click.Parameter, file: Path | None) -> None:
    if file is not None:
        context.meta[_CONFIG] = file
        context.meta.pop(_SETTINGS, None)


def _resolve_folder(context: click.Context, _option: click.Parameter, folder: Path | None) -> Path:
    if folder is not None:
        context.meta[_DATA] = folder
        context.meta.pop(_SETTINGS, None)
    return settings_of(context).data


def _note_folder(context: click.Context, _option: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        context.meta[_DATA] = folder
        context.meta.pop(_SETTINGS, None)


def name_folder(context: click.Context, folder: Path) -> None:
    """What the command works on is this folder, as if `--data` named it."""
    context.meta[_DATA] = folder
    context.meta.pop(_SETTINGS, None)


def folder_named(context: click.Context) -> bool:
    """Whether the command, or its group, was given `--data`."""
    return _DATA in context.meta


def file_named(context: click.Context) -> Path | None:
    """The settings file that the command was given."""
    file: Path | None = context.meta.get(_CONFIG)
    return file


config_option = click.option(
    "--config",
    envvar="BASEGATE_CONFIG",
    type=click.Path(path_type=Path),
    is_eager=True,  # it may name the data folder
    expose_value=False,
    callback=_remember_file,
    help="Settings file (YAML).",
)
place_folder_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    expose_value=False,
    callback=_note_folder,
    help="Data folder of the registry. Default: that of BASEGATE_DATA or the settings file, else data",
)
"""`--data` of commands that may be about a server: the folder is resolved when the command turns to it."""
_folder_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    callback=_resolve_folder,
    help="Data folder of the registry. Default: that of BASEGATE_DATA or the settings file, else data",
)


def data_option(command: F) -> F:
    """`--data` and `--config`: the command gets the folder as `data`, and `settings_of` its settings."""
    return config_option(_folder_option(command))


bootstrap_option = click.option(
    "--bootstrap-file",
    envvar="BASEGATE_BOOTSTRAP_FILE",
    type=click.Path(path_type=Path),
    help="Principals that are to be there, with their secrets (YAML).",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def log_to_stderr() -> None:
    """Log to standard error: standard output has only the command's result."""
    from registry.config.settings import LogSettings  # noqa: PLC0415 - slow to import
    from registry.telemetry import logs  # noqa: PLC0415

    logs.configure(LogSettings(level="warning"))


def require_registry(data: Path, *, lost_too: bool = False) -> None:
    """Check that the folder has a registry's database, or its mark of one, or, with `lost_too`, had one.

    Raises:
        NoRegistry: there is no registry.
        DatabaseMissing: its database is lost.
        DatabaseNewer: a newer basegate has written it.
        MigrationUnfinished: it was left in the middle of a migration.
    """
    from registry.metadata.elsewhere import marked, require_settled  # noqa: PLC0415 - slow to import
    from registry.metadata.open_store import (  # noqa: PLC0415
        FILE_NAME,
        is_rest_of_registry,
        require_known_revision,
        require_nothing_lost,
    )
    from registry.storage.disk.ownership import act_as_owner  # noqa: PLC0415

    act_as_owner(data)
    require_settled(data)
    if (data / FILE_NAME).is_file():
        require_known_revision(data)
    elif not marked(data) and not (lost_too and is_rest_of_registry(data)):
        require_nothing_lost(data)
        raise NoRegistry(
            f"there is no registry in {data}: name its data folder with --data, BASEGATE_DATA or `data` in the "
            f"settings, or make one with `basegate init --data {data}`"
        )
