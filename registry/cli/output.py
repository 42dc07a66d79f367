"""What commands print: sizes for people, and documents for programs. Knows no settings and no database."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OUTPUT = "basegate.output"
"""Key of a context's `meta`."""


def json_option(command: F) -> F:
    """`--json` and `--output`: the command gets `as_json`, which is true for YAML too: `print_json` knows."""
    chosen = click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "json", "yaml"]),
        default="table",
        show_default=True,
        expose_value=False,
        is_eager=True,
        callback=_remember_output,
        help="For people, or for programs.",
    )
    return click.option("--json", "as_json", is_flag=True, callback=_is_json, help="The same as --output json.")(
        chosen(command)
    )


def _remember_output(context: click.Context, _option: click.Parameter, output: str) -> None:
    context.meta[_OUTPUT] = output


def _is_json(context: click.Context, _option: click.Parameter, given: bool) -> bool:  # noqa: FBT001
    if given and context.meta[_OUTPUT] == "yaml":
        raise click.UsageError("give --json or --output yaml, one of the two")
    return given or context.meta[_OUTPUT] != "table"


def for_programs(document: Any) -> str:
    """A document for programs: JSON, or YAML where `--output yaml` asks for it."""
    if not _wants_yaml():
        return json.dumps(document, indent=2)
    import yaml  # noqa: PLC0415 - seldom wanted

    plain = json.loads(json.dumps(document))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)).rstrip("\n")


def line_for_programs(document: Any) -> str:
    """The same as one of several, each on a line of its own."""
    return f"{'--- ' if _wants_yaml() else ''}{json.dumps(document)}"


def print_json(document: Any) -> None:
    """Print a document for programs."""
    click.echo(for_programs(document))


def _wants_yaml() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and context.meta.get(_OUTPUT) == "yaml"


def size(count: int) -> str:
    """Bytes for a person: `12.3 MiB`."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
