"""`basegate azure setup`: what a person types so that az takes this registry for Azure."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import click

from policy.cli.build import endpoint_options
from policy.client.management import Endpoint
from registry.errors import BasegateError

_BUNDLE = Path("basegate-azure.pem")


class AzMissing(BasegateError):
    """az is not installed, or refuses a line; the message says which."""


@click.group("azure")
def azure_group() -> None:
    """Azure's own clients against this registry."""


@azure_group.command("setup")
@click.option("--write", is_flag=True, help="Write the CA bundle and run the lines of az.")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    default=_BUNDLE,
    show_default=True,
    help="File with every CA that az is to trust.",
)
@endpoint_options
def setup_command(*, write: bool, bundle: Path, endpoint: str, ca_file: Path | None, timeout_step: float) -> None:
    """Print the lines that lead az to a registry with a management endpoint; with --write, run them.

    The endpoint is asked what its cloud is called. Signing in is left to you, and so is the variable that names the
    bundle, which only your shell can keep.
    """
    cloud = Endpoint(endpoint, ca_file, timeout_step).cloud()
    name, address = str(cloud["name"]), str(cloud["resourceManager"])
    register = ("az", "cloud", "register", "--name", name, "--endpoint-resource-manager", address)
    choose = ("az", "cloud", "set", "--name", name)
    if write:
        if ca_file:
            _write_bundle(bundle, ca_file)
        _run(register, choose, bundle=bundle if ca_file else None)
        click.echo("Now in your shell:")
    elif ca_file:
        click.echo(f'cat "$(python3 -m certifi)" {shlex.quote(str(ca_file))} > {shlex.quote(str(bundle))}')
    if ca_file:
        click.echo(f"export REQUESTS_CA_BUNDLE={shlex.quote(str(bundle.resolve()))}")
    for line in () if write else (register, choose):
        click.echo(shlex.join(line))
    click.echo("az login --service-principal --username NAME --password SECRET --tenant " + _tenant())


def _tenant() -> str:
    """Any GUID does; that of the settings' default."""
    from policy.azure.management.settings import AzureSettings  # noqa: PLC0415 - slow to import

    return str(AzureSettings.model_fields["tenant"].default)


def _write_bundle(bundle: Path, ca_file: Path) -> None:
    """What Python's clients trust by themselves, and the lab's authority."""
    import certifi  # noqa: PLC0415 - needed here only

    certificates = Path(certifi.where()).read_bytes()
    bundle.write_bytes(certificates.rstrip(b"\n") + b"\n" + ca_file.read_bytes())
    click.echo(f"wrote {bundle}")


def _run(*lines: Sequence[str], bundle: Path | None) -> None:
    program = shutil.which("az")
    if program is None:
        raise AzMissing("az is not on PATH: install azure-cli, or leave --write out and run the lines where it is")
    trusted = {"REQUESTS_CA_BUNDLE": str(bundle.resolve())} if bundle else {}
    environment = os.environ | trusted
    name = lines[-1][-1]
    shown = subprocess.run(  # noqa: S603
        [program, "cloud", "show", "--name", name], env=environment, capture_output=True, check=False
    )
    if shown.returncode == 0:  # of another address, perhaps: it is registered anew
        undo = (("az", "cloud", "set", "--name", "AzureCloud"), ("az", "cloud", "unregister", "--name", name))
        lines = (*undo, *lines)
    for line in lines:
        click.echo(shlex.join(line))
        done = subprocess.run([program, *line[1:]], env=environment, check=False)  # noqa: S603
        if done.returncode:
            raise AzMissing(f"{shlex.join(line)} ended with exit code {done.returncode}: see what it says above")
