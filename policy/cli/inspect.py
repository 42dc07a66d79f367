"""`basegate inspect`: inspect a stored image in this process; `--again`: even if it was inspected before."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from policy.assessment.reinspect import forget_image
from policy.assessment.settings import JudgingSettings
from policy.assessment.verdict import Verdict
from policy.cli.policy import judging_settings, opened_judging
from policy.enforcement.gate import PolicyGate
from policy.results.store import ResultStore
from policy.state import State
from registry.auth.principals import anonymous
from registry.cli.command_audit import audited
from registry.cli.data_folder import data_option, settings_of
from registry.cli.output import json_option, print_json
from registry.content.opened_stores import open_stores_of
from registry.errors import BasegateError
from registry.metadata import manifests
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore
from registry.storage.disk.ownership import act_as_owner


class StillPending(BasegateError):
    """There is no verdict yet."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The objects that inspection of stored images needs."""

    storage: BlobStore
    metadata: MetadataStore
    results: ResultStore
    gate: PolicyGate


@click.command("inspect")
@click.argument("image")
@click.option("--again", is_flag=True, help="Forget what is known and read the layers again.")
@data_option
@json_option
@audited("inspect", when=lambda parameters: bool(parameters["again"]))
def inspect_command(image: str, data: Path, *, again: bool, as_json: bool) -> None:
    """Look into IMAGE (repository:tag or repository@digest) of a data folder and print its verdict."""
    settings = judging_settings()
    with open_folder(data, settings) as folder:
        verdict = asyncio.run(_inspect(folder, image, again=again))
    if as_json:
        print_json(verdict.document())
        return
    click.echo(f"{image}: {verdict.state} by policy {verdict.policy_name}")
    for finding in verdict.findings:
        click.echo(f"  {finding.result}  {finding.rule}: {finding.message}")


@contextmanager
def open_folder(data: Path, settings: JudgingSettings) -> Iterator[DataFolder]:
    """Open a data folder; safe beside a running server."""
    registry = settings_of(click.get_current_context())
    with opened_judging(registry) as judging, ThreadPoolExecutor(4) as pool:
        act_as_owner(data)
        storage, metadata = open_stores_of(registry, pool)
        gate = PolicyGate(storage, metadata, judging.results, judging.orders, settings)
        try:
            yield DataFolder(storage, metadata, judging.results, gate)
        finally:
            gate.close()
            metadata.close()


async def resolved(metadata: MetadataStore, image: str) -> tuple[RepositoryName, Digest]:
    """The repository and digest that `repository:tag` or `repository@digest` name.

    Raises:
        OciError: there is no such manifest in the data folder, or the text is not a reference.
    """
    wanted = ImageReference.parse_local(image)
    if isinstance(wanted.reference, Digest):
        row = await metadata.read(manifests.find, wanted.repository, wanted.reference)
    else:
        row = await metadata.read(manifests.find_tagged, wanted.repository, wanted.reference)
    if row is None:
        raise ManifestUnknown(f"{image} is not in this registry: needs repository:tag or repository@digest")
    return wanted.repository, row.digest


async def _inspect(folder: DataFolder, image: str, *, again: bool) -> Verdict:
    repository, digest = await resolved(folder.metadata, image)
    if again:
        layers = await forget_image(folder.storage, folder.metadata, folder.results, repository, digest)
        click.echo(f"reading {layers} layers again", err=True)
    standing = await folder.gate.standing(anonymous(may_pull=False), repository, digest)
    if standing.verdict is None:
        raise StillPending(f"{image} is {State.PENDING}: its layers took longer than policy.wait_seconds")
    return standing.verdict
