"""`basegate version`: which basegate this is, and what it runs on."""

import platform
import sqlite3
from importlib.metadata import version

import click

from registry.cli.output import json_option, print_json


@click.command("version")
@json_option
def version_command(*, as_json: bool) -> None:
    """Print the version of basegate, and of what it runs on."""
    found = {
        "basegate": version("basegate"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        click.echo(f"{name:<9} {value}")
