"""`basegate backup` and `basegate restore`: copy a registry beside its running server, and restore it."""

from pathlib import Path

import click

from registry.cli.command_audit import audited, recorded
from registry.cli.data_folder import data_option, require_registry, settings_of
from registry.cli.output import json_option, print_json, size
from registry.errors import BasegateError
from registry.maintenance.backup import check_backup, make_backup
from registry.maintenance.backup_index import BackupIndex, BackupRefused
from registry.maintenance.restore import restore_backup
from registry.oci.timestamp import timestamp
from registry.storage.disk.ownership import acting, give_to_owner

_FOLDER = click.Path(path_type=Path, file_okay=False)
_SHOWN = 20


@click.command("backup")
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option("--copy", is_flag=True, help="Copy blobs also where they could be linked: safe from damage to the disk.")
@click.option("--check", is_flag=True, help="Make none: read the whole backup in DIR, and say whether it is sound.")
@data_option
@json_option
@click.pass_context
def backup_command(  # noqa: PLR0913 - one per option
    context: click.Context, folder: Path, data: Path, *, copy: bool, check: bool, as_json: bool
) -> None:
    """Back the registry up to DIR, beside a running server; again, bring DIR up to date.

    Exit code 0: whole. 1: something that the registry should hold is missing or damaged. 2: there is no backup.
    """
    if check:
        context.exit(_say_checked(folder))
    if data.is_dir():
        give_to_owner(folder, data)  # before anything acts as the owner, who may not be able to make it
    with recorded(context, "backup"):
        require_registry(data)
        index = _made(data, folder, linked=not copy)
        _say_made(folder, index, as_json=as_json)
        context.exit(1 if index.missing else 0)


@click.command("restore")
@click.argument("folder", type=_FOLDER, metavar="DIR")
@data_option
@click.pass_context
@audited("restore")
def restore_command(context: click.Context, folder: Path, data: Path) -> None:
    """Make a new data folder of the backup in DIR. Exit codes as for `backup`."""
    if settings_of(context).metadata.url:
        raise BackupRefused(
            "a backup is of a data folder with its rows, and metadata.url is set: restore that database from its own "
            "backup, or leave metadata.url out (docs/cluster.md)"
        )
    try:
        missing = restore_backup(folder, data)
    except OSError as error:
        raise BasegateError(f"{folder} could not be restored: {error.strerror}: {error.filename}") from error
    for digest in missing[:_SHOWN]:
        click.echo(f"not in the backup: {digest}")
    click.echo(f"{data} is restored; start it with: basegate serve --data {data}")
    context.exit(1 if missing else 0)


def _made(data: Path, folder: Path, *, linked: bool) -> BackupIndex:
    try:
        return make_backup(data, folder, linked=linked)
    except OSError as error:
        raise BasegateError(
            f"the backup in {folder} could not be made: {error.strerror}{acting()}: {error.filename}"
        ) from error


def _say_checked(folder: Path) -> int:
    problems = check_backup(folder)
    for problem in problems[:_SHOWN]:
        click.echo(problem)
    click.echo(f"{folder} is {'not whole' if problems else 'whole'}")
    return 1 if problems else 0


def _say_made(folder: Path, index: BackupIndex, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"folder": str(folder), "made": index.made, "blobs": index.blobs, "bytes": index.bytes}
            | {"missing": index.missing}
        )
        return
    for digest in index.missing[:_SHOWN]:
        click.echo(f"missing or damaged: {digest}")
    click.echo(f"{folder} holds the registry of {timestamp(index.made)}: {index.blobs} blobs, {size(index.bytes)}")
