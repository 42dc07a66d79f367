"""`basegate deployment`: what is recorded, and letting go of it; at a gateway, over HTTP."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from policy.cli.check import asking_of, asking_options
from policy.client.api import ask
from policy.client.deploying import DEPLOYMENTS_PATH
from policy.deployments.receipt_key import receipt_keys
from registry.cli.command_audit import audited
from registry.cli.data_folder import data_option, require_registry
from registry.cli.output import print_json
from registry.errors import visible

_SHOWN = ("id", "name", "state", "workspace", "pinned")


@click.group("deployment", short_help="List, show and release recorded deployments.")
def deployment_group() -> None:
    """Recorded deployments."""


@deployment_group.command("ls")
@asking_options
def list_command(*, as_json: bool, **flags: Any) -> None:
    """List the deployments whose images you may pull, the latest first."""
    deployments = ask(asking_of(**flags).connection_to_gateway(), "GET", DEPLOYMENTS_PATH)["deployments"]
    if as_json:
        print_json(deployments)
        return
    for each in deployments:
        click.echo("  ".join(visible(each[key]) for key in _SHOWN))


@deployment_group.command("show")
@click.argument("deployment")
@click.option("--receipt", is_flag=True, help="Only the receipt.")
@asking_options
def show_command(deployment: str, *, receipt: bool, as_json: bool, **flags: Any) -> None:
    """Show one deployment, by its id or, in the default workspace, the service's name."""
    document = ask(asking_of(**flags).connection_to_gateway(), "GET", _path(deployment))
    if receipt:
        click.echo(document["receipt"])
    else:
        show(document, as_json=as_json)


@deployment_group.command("release")
@click.argument("deployment")
@asking_options
def release_command(deployment: str, *, as_json: bool, **flags: Any) -> None:
    """Let go of the image of a deployment: it may be deleted and collected from then on."""
    document = ask(asking_of(**flags).connection_to_gateway(), "POST", f"{_path(deployment)}/release")
    if as_json:
        show(document, as_json=True)
    else:
        click.echo(f"released: deployment {visible(document['id'])} of {visible(document['name'])}")


@deployment_group.command("keys")
@asking_options
def keys_command(*, as_json: bool, **flags: Any) -> None:  # noqa: ARG001
    """Print the public keys for `basegate verify-receipt --keys FILE`."""
    keys = ask(asking_of(**flags).connection_to_gateway(), "GET", "/policy/v1/keys")
    print_json(keys)


@deployment_group.group("key", short_help="The key that receipts are signed with.")
def key_group() -> None:
    """The key that receipts are signed with."""


@key_group.command("rotate")
@data_option
@audited("deployment.key.rotate")
def key_rotate_command(data: Path) -> None:
    """Sign receipts with a new key from now on, also in a running server; prints all public keys.

    Earlier receipts keep theirs, whose public half stays at /policy/v1/keys: fetch the keys again.
    """
    require_registry(data)
    ring = receipt_keys(data)
    ring.rotate()
    print_json({"keys": ring.jwks()})


def show(document: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing, as JSON or one member a line."""
    if as_json:
        print_json(document)
        return
    for key, value in document.items():
        text = value if isinstance(value, str) else json.dumps(value)
        click.echo(f"{key:<18} {visible(text)}")
    sys.stdout.flush()


def _path(deployment: str) -> str:
    if not deployment.replace("-", "").isalnum() or not deployment.isascii():
        raise click.UsageError(f"{deployment!r} is no id of a deployment: basegate deployment ls lists them")
    return f"{DEPLOYMENTS_PATH}/{deployment}"
