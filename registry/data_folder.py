"""Commands that work on a data folder, safe beside a running server: the option, and reading and changing its rows."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
from sqlalchemy import Connection

from registry import logs
from registry.metadata.opening import FILE_NAME, open_metadata
from registry.oci.errors import OciError
from registry.ownership import act_as_owner
from registry.settings import LogSettings

P = ParamSpec("P")
T = TypeVar("T")

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    envvar="BASEGATE_DATA",
    show_default=True,
    help="Data folder of the registry.",
)
settings_data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Data folder. Default: that of the settings."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer for programs.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def look(data: Path, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a query on the rows of a data folder; ClickException when it is none, or for what the query refuses."""
    require_registry(data)
    with closing(open_metadata(data)) as metadata:
        return refusing(lambda: asyncio.run(metadata.read(query, *args, **kwargs)))


def change(data: Path, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a change as one transaction; a running server follows at once. Raises like `look`."""
    require_registry(data)
    with closing(open_metadata(data)) as metadata:
        return refusing(lambda: asyncio.run(metadata.write(work, *args, **kwargs)))


def log_to_stderr() -> None:
    """What a command's work logs is for people: standard output holds the answer alone."""
    logs.configure(LogSettings(level="warning"))


def require_registry(data: Path) -> None:
    """Raise ClickException unless a registry keeps its rows in the folder."""
    if not (data / FILE_NAME).is_file():
        raise click.ClickException(f"there is no registry in {data}: name its data folder with --data")
    act_as_owner(data)


def refusing(work: Callable[[], T]) -> T:
    """Turn a refusal into a line for the person at the terminal."""
    try:
        return work()
    except OciError as error:
        raise click.ClickException(error.message) from error


def print_json(document: Any) -> None:
    """For programs."""
    click.echo(json.dumps(document, indent=2))


def moment(seconds: float) -> str:
    """Seconds since the epoch as `2019-07-01 12:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def size(count: int) -> str:
    """Bytes for a person: `12.3 MiB`."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
