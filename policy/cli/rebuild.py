"""`basegate rebuild`: make the database from the copy of its rows and from the files."""

from dataclasses import asdict
from pathlib import Path

import click

from registry.cli.command_audit import audited
from registry.cli.data_folder import data_option, require_registry
from registry.cli.output import json_option, print_json
from registry.errors import BasegateError
from registry.maintenance.rebuild import Rebuilt, rebuild
from registry.oci.timestamp import timestamp
from registry.server.data_lock import DataLock

_SHOWN = 20


@click.command("rebuild")
@click.option("--force", is_flag=True, help="Also when the database is there and sound: take the copy in its place.")
@data_option
@json_option
@click.pass_context
@audited("rebuild")
def rebuild_command(context: click.Context, data: Path, *, force: bool, as_json: bool) -> None:
    """Make the database anew after it was lost or damaged; the server must be stopped.

    All content, manifests and referrers are there again; tags, deletes and principals as they were when the copy was
    last brought up to date. Exit code 0: done. 1: done, and content is missing. 2: not done.
    """
    require_registry(data, lost_too=True)
    lock = DataLock(data)
    try:
        result = rebuild(data, force=force)
    except OSError as error:
        raise BasegateError(f"the database could not be rebuilt: {error.strerror}: {error.filename}") from error
    finally:
        lock.release()
    _tell(result, as_json=as_json)
    context.exit(1 if result.missing else 0)


def _tell(result: Rebuilt, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(result))
        return
    rows = ", ".join(f"{number} {word}" for word, number in result.rows.items())
    click.echo(f"rebuilt {rows}; {result.blobs} blobs are shown")
    click.echo(f"tags, deletes and principals are as of {timestamp(result.made)}; what was changed later is not known")
    if result.salvaged:
        click.echo(f"{result.salvaged} manifests were read from the damaged database; their tags are not known")
    if result.unknown:
        click.echo(f"{result.unknown} blobs belong to no repository that is known: they are kept, and pushes find them")
    for digest in result.missing[:_SHOWN]:
        click.echo(f"missing: {digest}")
    if result.aside:
        click.echo(f"the old database is {result.aside}")
