"""`basegate verify`: compare rows and files."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from registry.cli.command_audit import audited
from registry.cli.data_folder import data_option, log_to_stderr, require_registry, settings_of
from registry.cli.output import json_option, print_json
from registry.content.opened_stores import open_stores_of
from registry.maintenance.verify import Finding, Verification
from registry.metadata.store import MetadataStore


@click.command("verify")
@click.option("--repair", is_flag=True, help="Put right what can be put right without guessing.")
@click.option("--digests", is_flag=True, help="Read every blob, and not only compare its length.")
@data_option
@json_option
@click.pass_context
@audited("verify", when=lambda parameters: bool(parameters["repair"]))
def verify_command(context: click.Context, data: Path, *, repair: bool, digests: bool, as_json: bool) -> None:
    """Compare rows and files both ways, beside a running server.

    Exit code 0: all fits, or does now. 1: something does not. 2: it could not be told.
    """
    log_to_stderr()
    require_registry(data)
    with ThreadPoolExecutor(2) as pool:
        storage, metadata = open_stores_of(settings_of(context), pool)
        with closing(metadata):
            write = _writing(metadata) if repair else None
            verification = Verification(storage, metadata, data, write, digests=digests)
            findings = list(verification.findings())
    _tell(findings, verification.unreferenced, as_json=as_json)
    context.exit(0 if all(item.repaired for item in findings) else 1)


def _writing(metadata: MetadataStore) -> Callable[..., object]:
    def write(change: Callable[..., object], *arguments: object) -> object:
        return asyncio.run(metadata.write(change, *arguments))

    return write


def _tell(findings: list[Finding], unreferenced: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"findings": [asdict(item) for item in findings], "unreferenced": unreferenced})
        return
    for item in findings:
        click.echo(f"{'repaired: ' if item.repaired else ''}{item.what}")
    left = sum(not item.repaired for item in findings)
    click.echo(
        f"{left} things do not fit, {len(findings) - left} were put right; {unreferenced} files are named by nothing, "
        "which is no fault: a collection removes them when they are old enough"
    )
