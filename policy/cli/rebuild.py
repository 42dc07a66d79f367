"""`basegate rebuild`: make the database from the copy of its rows and from what is kept of blobs."""

from dataclasses import asdict
from pathlib import Path

import click

from policy.enforcement.copied_operator_file import CopiedOperatorFile
from registry.cli.command_audit import audited
from registry.cli.data_folder import data_option, log_to_stderr, require_registry, settings_of
from registry.cli.output import json_option, print_json
from registry.errors import BasegateError
from registry.maintenance.rebuild import Rebuilt, rebuild
from registry.maintenance.rebuild_database import rebuild_database
from registry.metadata.elsewhere import require_settled
from registry.oci.timestamp import timestamp
from registry.server.data_lock import DataLock
from registry.storage.disk.ownership import act_as_owner

_SHOWN = 20


@click.command("rebuild")
@click.option("--force", is_flag=True, help="Also when the database is there and sound: take the copy in its place.")
@data_option
@json_option
@click.pass_context
@audited("rebuild")
def rebuild_command(context: click.Context, data: Path, *, force: bool, as_json: bool) -> None:
    """Make the database anew after it was lost or damaged; the server, or every node, must be stopped.

    All content, manifests and referrers are there again; tags, deletes and principals as they were when the copy was
    last brought up to date. With metadata.url the database there must be empty, and gets what the newest copy in
    storage.url has. Exit code 0: done. 1: done, and content is missing. 2: not done.
    """
    in_database = bool(settings_of(context).metadata.url)
    _require_folder(data, in_database=in_database)
    log_to_stderr()
    lock = DataLock(data)
    try:
        if in_database:
            result = rebuild_database(settings_of(context), (CopiedOperatorFile(),))
        else:
            result = rebuild(data, force=force)
    except OSError as error:
        raise BasegateError(f"the database could not be rebuilt: {error.strerror}: {error.filename}") from error
    finally:
        lock.release()
    _tell(result, as_json=as_json)
    context.exit(1 if result.missing else 0)


def _require_folder(data: Path, *, in_database: bool) -> None:
    """A new node's folder will do where nothing of the rows is in it."""
    if not in_database:
        require_registry(data, lost_too=True)
        return
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    act_as_owner(data)
    require_settled(data)


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
