"""`basegate build`: what `az acr build` does, without az.

Exit codes: 0 built, 1 the build failed, 2 it could not be begun.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from policy.client.build_context import pack
from policy.client.management import GOOD_END, Builder, Endpoint
from registry.registry_client.credentials import Credentials

FAILED = 1


def endpoint_options(command: Any) -> Any:
    """The flags of every command that talks to the management endpoint."""
    for option in reversed(
        (
            click.option(
                "--endpoint",
                envvar="BASEGATE_ENDPOINT",
                default="https://localhost:5443",
                show_default=True,
                help="The management endpoint (azure.listen).",
            ),
            click.option(
                "--ca-file", envvar="BASEGATE_CA_FILE", type=click.Path(path_type=Path), help="Trust this CA (PEM)."
            ),
            click.option("--timeout-step", default=60.0, show_default=True, help="Seconds to wait for any one step."),
        )
    ):
        command = option(command)
    return command


@click.command("build", short_help="Have an image built and pushed by the registry.")
@click.argument("context", type=click.Path(path_type=Path), default=".")
@click.option("-t", "--image", "images", multiple=True, help="repository:tag to push it as; may be repeated.")
@click.option("-f", "--file", "dockerfile", type=click.Path(path_type=Path), help="Default: Dockerfile in CONTEXT.")
@click.option("--build-arg", "arguments", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--secret-build-arg", "secret_arguments", multiple=True, metavar="NAME=VALUE", help="Never shown.")
@click.option("--target", default="", help="Stage of the Dockerfile to build.")
@click.option("--platform", default="linux/amd64", show_default=True, help="os/architecture[/variant].")
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds the build may take.")
@click.option("--no-push", is_flag=True, help="Build only.")
@click.option("-u", "--username", envvar="BASEGATE_USERNAME", required=True, help="A principal's name or id.")
@click.option("-p", "--password", envvar="BASEGATE_PASSWORD", default="", help="Its secret; better: --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the secret from standard input.")
@endpoint_options
def build_command(  # noqa: PLR0913 - one per option
    context: Path,
    *,
    dockerfile: Path | None,
    username: str,
    password: str,
    password_stdin: bool,
    endpoint: str,
    ca_file: Path | None,
    timeout_step: float,
    **wanted: Any,
) -> None:
    """Send CONTEXT, have it built as its Dockerfile says, push the image, and show the log.

    Needs a registry with azure.listen and azure.builds.builder set, and a principal that may push the image. The last
    line is "Run ID: … was successful after …".
    """
    secret = sys.stdin.readline().rstrip("\r\n") if password_stdin else password
    login = Credentials(username, secret, "the command line")
    with (
        tempfile.TemporaryFile() as archive,
        Endpoint(endpoint, ca_file, timeout_step).client() as client,
    ):
        name = pack(context, dockerfile, archive)
        builder = Builder(client, login)
        run = builder.begin(_request(builder.send(archive), name, **wanted))
        try:
            ended = builder.follow(run, lambda text: click.echo(text, nl=False))
        except KeyboardInterrupt:
            builder.cancel(run)
            raise
    sys.exit(0 if ended == GOOD_END else FAILED)


def _request(  # noqa: PLR0913 - one per option
    source: str,
    dockerfile: str,
    *,
    images: Sequence[str],
    arguments: Sequence[str],
    secret_arguments: Sequence[str],
    target: str,
    platform: str,
    timeout: int | None,
    no_push: bool,
) -> dict[str, Any]:
    """The body of `scheduleRun`."""
    system, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    return {
        "type": "DockerBuildRequest",
        "imageNames": list(images),
        "isPushEnabled": bool(images) and not no_push,
        "sourceLocation": source,
        "dockerFilePath": dockerfile,
        "platform": {"os": system, "architecture": architecture or "amd64", "variant": variant or None},
        "arguments": [
            *(_argument(a, secret=False) for a in arguments),
            *(_argument(a, secret=True) for a in secret_arguments),
        ],
        "target": target or None,
        "timeout": timeout,
    }


def _argument(text: str, *, secret: bool) -> dict[str, Any]:
    """`NAME=VALUE`; a name alone takes its value from the environment, as docker does."""
    name, equals, value = text.partition("=")
    return {"name": name, "value": value if equals else os.environ.get(name, ""), "isSecret": secret}
