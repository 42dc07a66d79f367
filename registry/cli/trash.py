"""`basegate trash ls|restore|empty`: content that collections and deletes removed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
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
    run_query,
    settings_of,
    yes_option,
)
from registry.cli.place import confirm
from registry.cli.table import age, print_table
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.gc import GarbageCollector
from registry.content.small_blob_journal import open_stores
from registry.maintenance.undo import Undone, undo
from registry.metadata import trash
from registry.metadata.sqlite_store import SqliteStore
from registry.oci.timestamp import timestamp
from registry.storage.disk.store import DiskStore

T = TypeVar("T")

_SHOWN = 20


@click.group("trash")
def trash_group() -> None:
    """What collections and deletes have removed, for as long as it can be brought back."""


@trash_group.command("ls")
@data_option
@json_option
def list_command(data: Path, *, as_json: bool) -> None:
    """List the runs that have removed something, the latest first."""
    removals = run_query(data, trash.runs)
    if as_json:
        print_json([asdict(run) for run in removals])
        return
    rows = [(run.name, timestamp(run.time), age(timestamp(run.time)), _counts(run.counts)) for run in removals]
    print_table(("RUN", "REMOVED", "AGE", "WHAT"), rows)


@trash_group.command("restore")
@click.argument("run")
@data_option
@json_option
@click.pass_context
@audited("trash.restore")
def restore_command(context: click.Context, run: str, data: Path, *, as_json: bool) -> None:
    """Bring back what RUN has removed; see `basegate trash ls`. Exit code 1: not all of it."""
    context.exit(undo_run(data, run, as_json=as_json))


@trash_group.command("empty")
@yes_option
@data_option
@audited("trash.empty")
def empty_command(data: Path, *, yes: bool) -> None:
    """Remove everything that could still be brought back, and free its space."""
    require_registry(data)
    confirm("Remove everything in the trash, for good?", yes=yes)
    removed = with_stores(data, _empty)
    click.echo(f"the trash is empty: {removed} files are gone")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}s" for kind, number in sorted(counts.items()))


def undo_run(data: Path, run: str, *, as_json: bool) -> int:
    """Restore a run and print the result; returns the exit code."""
    sparse = settings_of(click.get_current_context()).manifests.sparse_indexes
    undone: Undone = with_stores(data, lambda storage, metadata: undo(storage, metadata, run, sparse=sparse))
    if as_json:
        print_json(asdict(undone))
        return 1 if undone.left else 0
    for sentence in undone.left[:_SHOWN]:
        click.echo(f"not brought back: {sentence}")
    click.echo(
        f"brought back {undone.blobs} files, {undone.manifests} manifests, {undone.links} links and {undone.tags} tags "
        f"of {undone.run}"
    )
    return 1 if undone.left else 0


def with_stores(data: Path, work: Callable[[DiskStore, SqliteStore], Awaitable[T]]) -> T:
    """Run a function with the blob store and the metadata of a data folder."""
    log_to_stderr()
    require_registry(data)
    with ThreadPoolExecutor(2) as pool:
        storage, metadata = open_stores(data, pool)

        async def do() -> T:
            return await work(storage, metadata)

        with closing(metadata):
            return asyncio.run(do())


async def _empty(storage: DiskStore, metadata: SqliteStore) -> int:
    return await GarbageCollector(storage, metadata, SettingsInForce(RegistrySettings())).empty_trash()
