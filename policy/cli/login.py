"""`basegate login`: try a principal's secret at a registry, and keep it where docker reads it."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import click

from policy.client.connection_options import ConnectionOptions
from policy.client.docker_config import store
from policy.client.registry_pull import sign_in
from registry.registry_client.credentials import Credentials

_HOST = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@click.command("login", short_help="Sign in to a registry, as docker login does.")
@click.argument("host", metavar="HOST:PORT")
@click.option("-u", "--username", envvar="BASEGATE_USERNAME", default="", help="A principal's name or id.")
@click.option("-p", "--password", envvar="BASEGATE_PASSWORD", default="", help="Its secret; better: --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the secret from standard input.")
@click.option("--authfile", type=click.Path(path_type=Path), help="Keep it in this file, as podman does.")
@click.option("--ca-file", envvar="BASEGATE_CA_FILE", type=click.Path(path_type=Path), help="Trust this CA (PEM).")
@click.option("--plain-http", envvar="BASEGATE_PLAIN_HTTP", is_flag=True, help="HTTP for addresses not loopback.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for any one step.")
def login_command(host: str, username: str, password: str, *, password_stdin: bool, **connection: Any) -> None:
    """Try a secret at HOST:PORT, and keep it in docker's configuration, or in the store that this names.

    docker, basegate and, where they have no file of their own, podman, skopeo and buildah read it there. A secret that
    the registry refuses is not kept.
    """
    if not _HOST.fullmatch(host):
        raise click.UsageError(f"{host[:255]!r} is no registry: give HOST or HOST:PORT, without a scheme or a path")
    if password_stdin and password:
        raise click.UsageError("give --password or --password-stdin, one of the two")
    authfile: Path | None = connection.pop("authfile")
    who = username or click.prompt("Name of a principal", err=True)
    secret = _secret(password, password_stdin=password_stdin)
    login = Credentials(who, secret, "the command line")
    options = ConnectionOptions(os.environ, Path.home(), login=login, **connection)
    sign_in(options.to(host.lower(), login), login)
    where = store(host.lower(), login, os.environ, Path.home(), authfile)
    click.echo(f"signed in to {host} as {who}; kept in {where}")


def _secret(password: str, *, password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return password or str(click.prompt("Secret", hide_input=True, err=True))
