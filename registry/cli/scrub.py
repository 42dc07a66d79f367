"""`basegate scrub`: read all content again, beside a running server."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from registry.cli.command_audit import audited
from registry.cli.data_folder import data_option, log_to_stderr, require_registry, settings_of
from registry.cli.output import json_option, print_json, size
from registry.content.opened_stores import open_stores_of
from registry.maintenance.pace import Pace
from registry.maintenance.scrub import Progress, Scrub


@click.command("scrub")
@click.option("--rate", type=click.IntRange(min=0), help="Bytes a second; 0: as fast as it goes. Default: the setting.")
@click.option("--anew", is_flag=True, help="Begin at the beginning, not where the last pass was cut short.")
@data_option
@json_option
@click.pass_context
@audited("scrub")
def scrub_command(context: click.Context, rate: int | None, data: Path, *, anew: bool, as_json: bool) -> None:
    """Read every blob and manifest, and set aside what does not have its digest: a push heals it.

    Exit code 0: all is sound. 1: something was damaged or missing. 2: it could not be told.
    """
    settings = settings_of(context)
    log_to_stderr()
    require_registry(data)
    pace = Pace(lambda: settings.scrub.bytes_per_second if rate is None else rate)
    with ThreadPoolExecutor(settings.storage.threads) as pool:
        storage, metadata = open_stores_of(settings, pool)
        with closing(metadata):
            progress = Scrub(storage, metadata, data, pace).run(anew=anew)
            withheld = [item.digest for item in storage.quarantine.held()]
    _tell(progress, withheld, as_json=as_json)
    context.exit(1 if withheld else 0)


def _tell(progress: Progress, withheld: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(progress), "withheld": withheld})
        return
    for digest in withheld:
        click.echo(f"damaged or missing: {digest}")
    click.echo(
        f"read {progress.manifests} manifests and {progress.blobs} blobs ({size(progress.bytes)}): "
        f"{progress.damaged} damaged or missing, {len(withheld)} withheld"
    )
