"""`basegate config check|show|example|schema`."""

from pathlib import Path

import click

from registry.cli.data_folder import config_option, kind_of, settings_of
from registry.cli.output import json_option, print_json
from registry.config.example import example, schema
from registry.config.sources import load
from registry.server.startup import cautions, certificate_of, parse_address


@click.group("config")
def config_group() -> None:
    """Settings: check a file, show what counts, print an example."""


@config_group.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def check_command(context: click.Context, file: Path) -> None:
    """Say whether a server could use FILE. Exit code 2: it could not, and one line says why. Warnings do not count."""
    settings = load(kind_of(context), file, {}, {})
    parse_address(settings.listen)
    certificate_of(settings)
    settings.examine()
    for caution in cautions(settings):
        click.echo(f"warning: {caution}", err=True)
    click.echo(f"{file} is good")


@config_group.command("show")
@config_option
@json_option
@click.pass_context
def show_command(context: click.Context, *, as_json: bool) -> None:
    """Show the settings that count, from file and environment; without a file, those of the data folder's server."""
    settings = settings_of(context)
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
