"""`basegate config check|show|example|schema`: settings before a server reads them."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from registry.data_folder import print_json
from registry.server.startup import CannotStart, cautions, certificate_of, parse_address
from registry.settings import RegistrySettings
from registry.settings_example import example, schema
from registry.settings_sources import SettingsError, load

_BROKEN = 2

config_option = click.option(
    "--config", envvar="BASEGATE_CONFIG", type=click.Path(path_type=Path), help="Settings file (YAML)."
)


def kind_of(context: click.Context) -> type[RegistrySettings]:
    """The settings class of the program: what a package on top gave as the context's object (a function), or ours."""
    given: Callable[[], type[RegistrySettings]] | None = context.find_root().obj
    return RegistrySettings if given is None else given()


def settings_of(context: click.Context, config: Path | None, flags: Mapping[str, Any]) -> RegistrySettings:
    """The settings of all sources; a broken one ends the command with one line and exit code 2."""
    try:
        return load(kind_of(context), config, flags, os.environ)
    except SettingsError as error:
        click.echo(f"basegate: {error}", err=True)
        context.exit(_BROKEN)


@click.group("config")
def config_group() -> None:
    """Settings: check a file, show what counts, print an example."""


@config_group.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def check_command(context: click.Context, file: Path) -> None:
    """Say whether a server could use FILE. Exit code 2: it could not, and one line says why. Warnings do not count."""
    try:
        settings = load(kind_of(context), file, {}, {})
        parse_address(settings.listen)
        certificate_of(settings)
        settings.examine()
    except (SettingsError, CannotStart, ValueError) as error:
        click.echo(f"basegate: {' '.join(str(error).split())}", err=True)
        context.exit(_BROKEN)
    for caution in cautions(settings):
        click.echo(f"warning: {caution}", err=True)
    click.echo(f"{file} is good")


@config_group.command("show")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Answer for programs.")
@click.pass_context
def show_command(context: click.Context, config: Path | None, *, as_json: bool) -> None:
    """Show the settings that count, from file and environment."""
    settings = settings_of(context, config, {})
    if as_json:
        print_json(settings.model_dump(mode="json"))
    else:
        click.echo(example(settings), nl=False)


@config_group.command("example")
@click.pass_context
def example_command(context: click.Context) -> None:
    """Print a settings file with every key, its meaning and its default."""
    click.echo(example(kind_of(context)()), nl=False)


@config_group.command("schema")
@click.pass_context
def schema_command(context: click.Context) -> None:
    """Print the JSON schema of the settings file, for editors."""
    click.echo(schema(kind_of(context)), nl=False)
