"""`basegate verify-evidence`: read every place that an image's facts name again, by other means."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import click

from policy.assessment.manifest_verdicts import children_of, facts_of_subject
from policy.cli.inspect import DataFolder, open_folder, resolved
from policy.cli.policy import judging_settings
from policy.inspection.evidence_check import Confirmation, verify
from policy.inspection.facts import Evidence, ImageFacts
from policy.inspection.facts_json import evidence_document
from policy.results.manifests import InspectedManifest, Kind
from registry.cli.data_folder import data_option
from registry.cli.output import json_option, print_json
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

_WORDS = {True: "confirmed", False: "WRONG", None: "nothing to read"}


@click.command("verify-evidence")
@click.argument("image")
@data_option
@json_option
@click.pass_context
def verify_evidence_command(context: click.Context, image: str, data: Path, *, as_json: bool) -> None:
    """Confirm the evidence of IMAGE (repository:tag or repository@digest); exit code 1 when any of it is wrong."""
    with open_folder(data, judging_settings()) as folder:
        checked = asyncio.run(_verified(folder, image))
    if as_json:
        print_json([{**asdict(item), "evidence": evidence_document(item.evidence)} for item in checked])
    else:
        for item in checked:
            click.echo(f"{_WORDS[item.confirmed]}: {item.message}")
    if any(item.confirmed is False for item in checked):
        context.exit(1)


async def _verified(folder: DataFolder, image: str) -> list[Confirmation]:
    repository, digest = await resolved(folder.metadata, image)
    images = await _images(folder, repository, digest)
    evidence = [item for facts in images for item in _evidence(facts)]
    blobs = {layer: await folder.storage.stat(Digest(layer)) for layer in {item.layer for item in evidence} - {""}}

    def open_layer(layer: str) -> BinaryIO:
        blob = blobs.get(layer)
        if blob is None:
            raise FileNotFoundError(f"layer {layer} is not in this registry")
        return os.fdopen(blob.open().descriptor, "rb")

    return await asyncio.to_thread(verify, evidence, open_layer)


async def _images(folder: DataFolder, repository: RepositoryName, digest: Digest) -> list[ImageFacts]:
    """The facts of an image, or of every image of an index."""
    images: list[ImageFacts] = []
    waiting = [digest]
    while waiting:
        subject: InspectedManifest | None = await folder.gate.inspector.subject(repository, waiting.pop(), wait=3600)
        if subject is not None and subject.kind is Kind.INDEX:
            waiting.extend(Digest(entry.digest) for entry in children_of(subject))
        elif subject is not None and subject.kind is Kind.IMAGE:
            images.append(facts_of_subject(subject))
    return images


def _evidence(facts: ImageFacts) -> Iterator[Evidence]:
    """All distinct evidence."""
    every = [item for fact in facts.facts for item in fact.evidence]
    every += [item for items in facts.absent.values() for item in items]
    return iter(dict.fromkeys(every))
