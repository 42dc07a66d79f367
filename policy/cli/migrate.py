"""`basegate migrate`: a registry moves between its data folder and what nodes share."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from policy.enforcement.moved_judging import MovedJudging
from registry.cli.command_audit import recorded
from registry.cli.data_folder import config_option, log_to_stderr, name_folder, require_registry, settings_with
from registry.cli.output import json_option, print_json, size
from registry.cli.progress import ProgressBar
from registry.maintenance.migration.moving import Moved, Moving
from registry.maintenance.migration.route import Route
from registry.metadata.elsewhere import MIGRATION
from registry.server import settings_in_use
from registry.server.data_lock import DataLock
from registry.server.startup import CannotStart
from registry.storage.disk.ownership import act_as_owner

if TYPE_CHECKING:
    from registry.config.settings import RegistrySettings

_SHOWN = 20


@click.command("migrate")
@click.option("--from", "sources", multiple=True, required=True, metavar="PLACE", help="Where everything is.")
@click.option("--to", "targets", multiple=True, required=True, metavar="PLACE", help="Where it moves.")
@click.option(
    "--wait",
    is_flag=True,
    help="Beside a running server: refuse its writes when the last is copied, and wait until it is stopped.",
)
@click.option("--leave-lost", is_flag=True, help="Also when blobs are missing or damaged: they are to be pushed again.")
@config_option
@json_option
@click.pass_context
def migrate_command(  # noqa: PLR0913 - one per option
    context: click.Context,
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    *,
    wait: bool,
    leave_lost: bool,
    as_json: bool,
) -> None:
    """Move blobs, rows or both of a registry out of its data folder, or back into it.

    One of --from and --to is the data folder; the other, once or twice, s3://BUCKET/PREFIX (az://, gs://) for blobs and
    postgresql://USER@HOST/NAME for rows. Beside a running server blobs are copied; what is left moves when it is
    stopped, and is switched over at once. It goes on where it was interrupted. Keys and the audit log stay.

    Exit code 0: it has moved. 1: not yet, or the source has lost blobs. 2: it could not be done.
    """
    route = Route.parse(sources, targets)
    name_folder(context, route.data)
    source, target = (settings_with(context, route.flags(arrived=arrived)) for arrived in (False, True))
    log_to_stderr()
    _require_registry(route.data)
    with recorded(context, "migrate"), ProgressBar() as bar:
        moving = Moving(route, source, target, MovedJudging(), lambda: _away(route.data), bar.tell_bytes)
        moved = _moved(moving, wait=wait, leave_lost=leave_lost)
        if moved.aside:
            _keep_for_commands(target)
        _tell(route, moved, as_json=as_json)
        context.exit(1 if moved.waiting else 0)


def _moved(moving: Moving, *, wait: bool, leave_lost: bool) -> Moved:
    aside = moving.go_on()
    if aside:
        return Moved(aside=aside)
    return moving.run(wait=_ask_to_stop if wait else None, leave_lost=leave_lost)


def _require_registry(data: Path) -> None:
    """One that was left in the middle of a migration is one."""
    act_as_owner(data)
    if not (data / MIGRATION).is_file():
        require_registry(data)


@contextmanager
def _away(data: Path) -> Iterator[str]:
    """No server is started on the folder until the block ends; "", or which one has it."""
    try:
        lock = DataLock(data)
    except CannotStart as error:
        yield str(error)
        return
    try:
        yield ""
    finally:
        lock.release()


def _ask_to_stop() -> None:
    click.echo("all is copied, and writes are refused: stop the server now, it is waited for", err=True)


def _keep_for_commands(settings: "RegistrySettings") -> None:
    """Commands on the folder find its content, before a server is started with the new settings."""
    if settings_in_use.recorded(settings.data) is not None:
        settings_in_use.record(settings)


def _tell(route: Route, moved: Moved, *, as_json: bool) -> None:
    if as_json:
        print_json(_document(route, moved))
        return
    blobs = moved.blobs
    if blobs.copied or blobs.there:
        click.echo(f"{blobs.copied} blobs ({size(blobs.bytes)}) copied, {blobs.there} were there")
    for word, digests in (("missing", blobs.missing), ("damaged", blobs.damaged), ("named by nothing", blobs.unnamed)):
        for digest in sorted(digests)[:_SHOWN]:
            click.echo(f"{word}: {digest}")
        if len(digests) > _SHOWN:
            click.echo(f"{word}: {len(digests) - _SHOWN} more")
    if moved.rows:
        click.echo(f"{sum(moved.rows.values())} rows in {len(moved.rows)} tables copied, and compared")
    sys.stdout.flush()
    click.echo(_what_now(route, moved))


def _what_now(route: Route, moved: Moved) -> str:
    if moved.waiting and moved.blobs.lost:
        return (
            f"not switched over: {len(moved.blobs.lost)} blobs that images need are lost at the source: push them "
            "again, or go without them with --leave-lost"
        )
    if moved.waiting:
        return f"not switched over yet, {moved.waiting}: run it again when that has ended, or with --wait"
    urls = {"storage.url": route.store, "metadata.url": route.database}
    named = [f"{name}: {url}" for name, url in urls.items() if url]
    change = "with" if route.is_outward else "without"
    return (
        f"moved: start the server {change} {' and '.join(named)} in its settings; what {route.data} had is in "
        f"{route.data / moved.aside}"
    )


def _document(route: Route, moved: Moved) -> dict[str, Any]:
    blobs = moved.blobs
    return {
        "data": str(route.data),
        "direction": "out" if route.is_outward else "back",
        "store": route.store,
        "database": route.database,
        "moved": bool(moved.aside),
        "waiting": moved.waiting,
        "aside": moved.aside,
        "blobs": {"copied": blobs.copied, "bytes": blobs.bytes, "there": blobs.there, "in_trash": blobs.in_trash},
        "missing": sorted(blobs.missing),
        "damaged": sorted(blobs.damaged),
        "unnamed": sorted(blobs.unnamed),
        "rows": dict(moved.rows),
    }
