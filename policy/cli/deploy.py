"""`basegate deploy check`: what `az ml model deploy` is given, judged, pinned, recorded, with a receipt.

Exit codes: 0 allowed, 1 denied, 2 could not tell; as those of `basegate check`.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from policy.cli.check import asking_of, asking_options, exit_code, is_trouble, read_config
from policy.cli.deploy_overrides import OVERRIDES, overridden, override_options
from policy.cli.deploy_service_flags import SERVICE_PARAMETERS, service_options, with_service_flags
from policy.client.deploying import DeployAnswer, check_deployment
from policy.client.text import in_words
from policy.gateway.check_result import CheckResult
from policy.gateway.deployments.request import Profile
from policy.gateway.inference_config.interpret import InferenceConfig, interpret
from policy.gateway.inference_config.parse import parse
from policy.gateway.inference_config.pinning import pin
from policy.gateway.inference_config.secrets import without_secrets
from registry.cli.output import for_programs
from registry.errors import BasegateError, visible

_FILES = ("entryScript", "condaFile", "extraDockerfileSteps")
_PATH = click.Path(path_type=Path)


@click.group("deploy", short_help="Check a deployment before it is made.")
def deploy_group() -> None:
    """Deployments, before they are made."""


@deploy_group.command("check", short_help="Judge, pin and record what `az ml model deploy` is given.")
@click.option("-n", "--name", required=True, help="Name of the service.")
@click.option("-m", "--model", "models", required=True, multiple=True, help="NAME:VERSION; may be repeated.")
@click.option("--ic", "--inference-config-file", "ic", type=_PATH, required=True, help="Inference configuration.")
@click.option(
    "--dc", "--deploy-config-file", "dc", type=_PATH, help="Deployment configuration; without it, flags say all."
)
@click.option("--ct", "--compute-target", "target", default="", help="Compute target; aks needs one.")
@click.option("-w", "--workspace-name", "workspace", default="", help="Workspace; without it the default one.")
@click.option("-g", "--resource-group", default="", help="Taken as az takes it; the workspace's name is enough here.")
@click.option("--overwrite", is_flag=True, help="Release what the service is recorded from, if that is another image.")
@click.option(
    "--profile",
    type=click.Choice([each.value for each in Profile]),
    default=Profile.CLI.value,
    show_default=True,
    help="cli: as the machine learning CLI, without standalone registries; sdk: as the SDK.",
)
@click.option("--no-record", is_flag=True, help="Only ask: hold nothing, write nothing.")
@click.option("--pinned", type=_PATH, help="Where the pinned configuration goes; by default beside --ic.")
@click.option("--receipt", type=_PATH, help="Where the receipt goes; by default beside --ic.")
@click.option("--wait", type=click.FloatRange(min=0), metavar="SECONDS", help="Ask again while inspection goes on.")
@override_options
@service_options
@asking_options
def check_command(  # noqa: PLR0913
    *,
    name: str,
    models: tuple[str, ...],
    ic: Path,
    dc: Path | None,
    target: str,
    workspace: str,
    resource_group: str,  # noqa: ARG001
    overwrite: bool,
    profile: str,
    no_record: bool,
    pinned: Path | None,
    receipt: Path | None,
    wait: float | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """May this be deployed? What is allowed is recorded, and its image kept until `basegate deployment release`.

    Takes the flags of `az ml model deploy`, those that win over the two files too. Exit code 0: allowed, 1: denied,
    2: could not tell.
    """
    named = {"name": name, "models": list(models), "computeTarget": target or None, "workspace": workspace or None}
    members = {name: flags.pop(name) for name in OVERRIDES}
    service = {name: flags.pop(name) for name in SERVICE_PARAMETERS}
    chosen = {"profile": profile, "overwrite": overwrite, "record": not no_record}
    try:
        document, config, deployment = _read(ic, dc, members)
        deployment = with_service_flags(deployment, service)
        files = {"inferenceConfig": without_secrets(document), "deploymentConfig": without_secrets(deployment)}
        answer = check_deployment(asking_of(**flags), config, {**named, **files, **chosen}, wait or 0.0)
        answer = DeployAnswer(answer.result.with_findings("files", "warn", _absent(document, ic)), answer.document)
        written = _write(answer, document, config, _places(ic, name, pinned, receipt)) if not no_record else {}
    except BasegateError as error:
        answer, written = DeployAnswer(CheckResult.unresolved(str(ic), str(error)), {}), {}
    shown = for_programs({**answer.as_json(), **written}) if as_json else "\n".join(_words(answer, written))
    click.echo(shown, err=is_trouble(answer.result, as_json))
    sys.exit(exit_code(answer.result, waited=wait is not None))


def _read(
    ic: Path, dc: Path | None, members: Mapping[str, Any]
) -> tuple[Mapping[str, Any], InferenceConfig, Mapping[str, Any]]:
    if str(ic) == str(dc) == "-":
        raise click.UsageError("standard input is one file: give --ic or --dc as a path")
    document = overridden(parse(read_config(ic)), members)
    return document, interpret(document), {} if dc is None else parse(read_config(dc))


def _absent(document: Mapping[str, Any], ic: Path) -> Iterator[str]:
    """A note for each file that the configuration names and that is neither here nor beside it."""
    source = document.get("sourceDirectory")
    folders = [Path(source) if isinstance(source, str) and source else Path(), ic.parent]
    for key in _FILES:
        named = document.get(key)
        if isinstance(named, str) and named and not any((folder / named).is_file() for folder in folders):
            yield f"{key} {named[:200]} is not here: the service needs it when the deployment is made"


def _places(ic: Path, name: str, pinned: Path | None, receipt: Path | None) -> tuple[Path, Path]:
    folder, stem = (Path(), "inferenceconfig") if str(ic) == "-" else (ic.parent, ic.stem)
    return pinned or folder / f"{stem}.pinned.json", receipt or folder / f"{name}.receipt"


def _write(
    answer: DeployAnswer, document: Mapping[str, Any], config: InferenceConfig, places: tuple[Path, Path]
) -> dict[str, str]:
    """Write what an allowed deployment is made of; where it is."""
    reference, signed = answer.document.get("pinned"), answer.document.get("receipt")
    if not (answer.result.allowed and reference and signed):
        return {}
    pinned = json.dumps(pin(document, config, reference), indent=2, default=str)
    for path, text in zip(places, (f"{pinned}\n", f"{signed}\n"), strict=True):
        _write_private(path, text)
    return {"pinnedFile": str(places[0]), "receiptFile": str(places[1])}


def _write_private(path: Path, text: str) -> None:
    """The configuration may hold a password."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _words(answer: DeployAnswer, written: Mapping[str, str]) -> Iterator[str]:
    yield in_words(answer.result)
    deployment = answer.document.get("deployment")
    if deployment is None:
        return
    yield f"  pinned  {visible(answer.document['pinned'])}"
    yield f"recorded: deployment {deployment['id']} of {visible(deployment['name'])}; its image is kept until"
    yield f"  basegate deployment release {deployment['id']}"
    if written:
        yield f"written: {written['pinnedFile']}, the configuration to deploy with"
        yield f"         {written['receiptFile']}, the receipt, which ends {deployment['receiptEnds']}"
