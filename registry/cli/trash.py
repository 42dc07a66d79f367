"""`basegate trash ls|restore|empty`: content that collections and deletes removed, in a data folder or on a server."""

from collections.abc import Mapping

import click

from registry.administration import garbage
from registry.cli.data_folder import yes_option
from registry.cli.gc import show_undone
from registry.cli.output import json_option, print_json
from registry.cli.place import Place, Word, confirm, entries, placed
from registry.cli.table import age, print_table

_RUN = Word("run", "RUN")


@click.group("trash")
def trash_group() -> None:
    """What collections and deletes have removed, for as long as it can be brought back."""


@trash_group.command("ls")
@placed()
@json_option
def list_command(place: Place, *, as_json: bool) -> None:
    """List the runs that have removed something, the latest first."""
    runs = list(entries(place, garbage.list_trash, "runs"))
    if as_json:
        print_json(runs)
        return
    rows = [(run["name"], run["time"], age(run["time"]), _counts(run["counts"])) for run in runs]
    print_table(("RUN", "REMOVED", "AGE", "WHAT"), rows)


@trash_group.command("restore")
@placed(_RUN, action="trash.restore")
@json_option
@click.pass_context
def restore_command(context: click.Context, place: Place, run: str, *, as_json: bool) -> None:
    """Bring back what RUN has removed; see `basegate trash ls`. Exit code 1: not all of it."""
    context.exit(show_undone(place, garbage.restore_run(run), as_json=as_json))


@trash_group.command("empty")
@placed(action="trash.empty")
@yes_option
@json_option
def empty_command(place: Place, *, yes: bool, as_json: bool) -> None:
    """Remove everything that could still be brought back, and free its space."""
    confirm("Remove everything in the trash, for good?", yes=yes)
    gone = place.do(garbage.empty_trash())
    if as_json:
        print_json(gone)
        return
    click.echo(f"the trash is empty: {gone['files']} files are gone")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}s" for kind, number in sorted(counts.items()))
