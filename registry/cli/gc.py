"""`basegate gc`: remove what nothing refers to, beside a running server."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import click

from registry.cli.command_audit import audited
from registry.cli.data_folder import (
    data_option,
    json_option,
    log_to_stderr,
    print_json,
    require_registry,
    settings_of,
    size,
)
from registry.cli.trash import undo_run
from registry.config.settings import SettingsInForce
from registry.content.gc import GarbageCollector, GcPlan
from registry.content.small_blob_journal import open_stores
from registry.oci.digest import Digest
from registry.oci.errors import OciError

T = TypeVar("T")


@click.group("gc", invoke_without_command=True)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@data_option
@json_option
@click.pass_context
def gc_group(context: click.Context, *, dry_run: bool, data: Path, as_json: bool) -> None:
    """Remove blobs that nothing refers to: `basegate gc run`, or `basegate gc --dry-run` to look first."""
    if context.invoked_subcommand is not None:
        return
    if not dry_run:
        raise click.UsageError("needs --dry-run or the command run")
    _show_plan(_with_collector(data, GarbageCollector.plan), as_json=as_json)


@gc_group.command("dry-run")
@data_option
@json_option
def dry_run_command(data: Path, *, as_json: bool) -> None:
    """Say what would be removed, and remove nothing."""
    _show_plan(_with_collector(data, GarbageCollector.plan), as_json=as_json)


@gc_group.command("run")
@click.option(
    "--unknown-too",
    is_flag=True,
    help="Also blobs from before the database was rebuilt or begun anew, whose rows may be lost. For good.",
)
@data_option
@json_option
@audited("gc.run")
def run_command(data: Path, *, as_json: bool, unknown_too: bool) -> None:
    """Remove what is old enough; safe beside pushes. `basegate gc undo` brings it back for a while."""
    report = _with_collector(data, lambda collector: collector.run(unknown_too=unknown_too))
    if as_json:
        print_json(asdict(report))
        return
    click.echo(
        f"removed {report.manifests} manifests, {report.links} links, {report.blobs} blobs ({size(report.bytes)}), "
        f"{report.uploads} uploads and {report.events} events in {report.seconds:.1f} s"
    )


@gc_group.command("undo")
@data_option
@json_option
@click.pass_context
@audited("gc.undo")
def undo_command(context: click.Context, data: Path, *, as_json: bool) -> None:
    """Bring back what the last run has removed. Exit code 1: not all of it."""
    context.exit(undo_run(data, "", as_json=as_json))


@gc_group.command("explain")
@click.argument("digest")
@data_option
@json_option
def explain_command(digest: str, data: Path, *, as_json: bool) -> None:
    """Say why content is kept, or that the next run removes it."""
    try:
        wanted = Digest.parse(digest)
    except OciError as error:
        raise click.UsageError(error.message) from error
    explanation = _with_collector(data, lambda collector: collector.explain(wanted))
    if as_json:
        print_json(asdict(explanation))
        return
    click.echo(f"{explanation.digest} {'is kept' if explanation.kept else 'is not kept'}:")
    for reason in explanation.reasons:
        click.echo(f"  {reason}")


def _show_plan(plan: GcPlan, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(plan))
        return
    for manifest in plan.manifests:
        click.echo(f"manifest  {manifest}")
    for blob in plan.blobs:
        click.echo(f"blob      {blob}")
    for upload in plan.uploads:
        click.echo(f"upload    {upload}")
    click.echo(
        f"would remove {len(plan.manifests)} manifests, {plan.links} links, {len(plan.blobs)} blobs "
        f"({size(plan.bytes)}) and {len(plan.uploads)} uploads"
    )


def _with_collector(data: Path, work: Callable[[GarbageCollector], Awaitable[T]]) -> T:
    settings = settings_of(click.get_current_context())
    log_to_stderr()
    require_registry(data)
    with ThreadPoolExecutor(settings.storage.threads) as pool:
        storage, metadata = open_stores(data, pool, settings.storage.sync_bytes)
        collector = GarbageCollector(storage, metadata, SettingsInForce(settings))

        async def do() -> T:
            return await work(collector)

        with closing(metadata):
            return asyncio.run(do())
