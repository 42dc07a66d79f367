"""`basegate gc`: remove what nothing refers to, in a data folder or on a server, beside pushes."""

from contextlib import closing
from typing import Any

import click

from registry.administration import garbage
from registry.administration.act import Act
from registry.cli.data_folder import data_option, settings_of, yes_option
from registry.cli.output import json_option, print_json, size
from registry.cli.place import Folder, Place, Word, confirm, placed
from registry.oci.digest import Digest

_DIGEST = Word("digest", "DIGEST", Digest.parse)
_SHOWN = 20


@click.group("gc", invoke_without_command=True)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@data_option
@json_option
@click.pass_context
def gc_group(context: click.Context, *, dry_run: bool, data: Any, as_json: bool) -> None:  # noqa: ARG001
    """Remove blobs that nothing refers to: `basegate gc run`, or `basegate gc dry-run` to look first."""
    if context.invoked_subcommand is not None:
        return
    if not dry_run:
        raise click.UsageError("needs --dry-run or the command run")
    with closing(Folder(settings_of(context))) as folder:
        _show_plan(folder.do(garbage.plan_collection()), as_json=as_json)


@gc_group.command("dry-run")
@placed()
@json_option
def dry_run_command(place: Place, *, as_json: bool) -> None:
    """Say what would be removed, and what later; remove nothing."""
    _show_plan(place.do(garbage.plan_collection()), as_json=as_json)


@gc_group.command("run")
@placed(action="gc.run")
@click.option(
    "--unknown-too",
    is_flag=True,
    help="Also blobs from before the database was rebuilt or begun anew, whose rows may be lost. For good.",
)
@yes_option
@json_option
def run_command(place: Place, *, unknown_too: bool, yes: bool, as_json: bool) -> None:
    """Remove what is old enough; safe beside pushes. `basegate gc undo` brings it back for a while."""
    if unknown_too:
        confirm("Remove content whose rows may be lost, now and from now on?", yes=yes)
    report = place.do(garbage.run_collection(unknown_too=unknown_too))
    if as_json:
        print_json(report)
        return
    click.echo(
        f"removed {report['manifests']} manifests, {report['links']} links, {report['blobs']} blobs "
        f"({size(report['bytes'])}), {report['uploads']} uploads and {report['events']} events in "
        f"{report['seconds']:.1f} s"
    )


@gc_group.command("undo")
@placed(action="gc.undo")
@json_option
@click.pass_context
def undo_command(context: click.Context, place: Place, *, as_json: bool) -> None:
    """Bring back what the last run has removed. Exit code 1: not all of it."""
    context.exit(show_undone(place, garbage.undo_collection(), as_json=as_json))


@gc_group.command("explain")
@placed(_DIGEST)
@json_option
def explain_command(place: Place, digest: Digest, *, as_json: bool) -> None:
    """Say why content is kept, or that the next run removes it."""
    explanation = place.do(garbage.explain_content(digest))
    if as_json:
        print_json(explanation)
        return
    click.echo(f"{explanation['digest']} {'is kept' if explanation['kept'] else 'is not kept'}:")
    for reason in explanation["reasons"]:
        click.echo(f"  {reason}")


def show_undone(place: Place, act: Act, *, as_json: bool) -> int:
    """Do an act that brings things back, and print what came of it; returns the exit code."""
    undone = place.do(act)
    if as_json:
        print_json(undone)
        return 1 if undone["left"] else 0
    for sentence in undone["left"][:_SHOWN]:
        click.echo(f"not brought back: {sentence}")
    click.echo(
        f"brought back {undone['blobs']} files, {undone['manifests']} manifests, {undone['links']} links and "
        f"{undone['tags']} tags of {undone['run']}"
    )
    return 1 if undone["left"] else 0


def _show_plan(plan: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    for kind in ("manifests", "blobs", "uploads"):
        for each in plan[kind]:
            click.echo(f"{kind.removesuffix('s'):<9} {each}")
    click.echo(
        f"would remove {len(plan['manifests'])} manifests, {plan['links']} links, {len(plan['blobs'])} blobs "
        f"({size(plan['bytes'])}) and {len(plan['uploads'])} uploads"
    )
    if plan["waiting_blobs"]:
        click.echo(
            f"later: {plan['waiting_blobs']} blobs ({size(plan['waiting_bytes'])}) that nothing refers to are younger "
            f"than gc.grace_seconds ({plan['waiting_seconds']:.0f} s)"
        )
