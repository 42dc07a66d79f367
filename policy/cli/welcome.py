"""The output of `basegate serve`: what it serves where and, at the first start, how to sign in, push, check, pull."""

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from policy.enforcement.assignments import Assignments
from registry.auth.enrolment import FirstStart
from registry.oci.patterns import EVERY

_EXAMPLE = Path("config/examples/offline")
_EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - recognised, not bound


@dataclass(frozen=True, slots=True)
class Start:
    """What a start is told to people by.

    Attributes:
        url: where it listens.
        data: the data folder, as the settings name it.
        policies: what counts where, see `in_words`.
    """

    url: str
    data: Path
    policies: str


def listening(start: Start) -> str:
    """Where it listens, on the first line; then version, folder and policies, and how to stop it."""
    rows = {
        "version": version("basegate"),
        "folder": str(start.data.absolute()),
        "policies": start.policies,
        "page": f"{start.url}/",
        "stop": f"Ctrl-C here, or kill {os.getpid()}",
    }
    lines = [f"basegate is ready at {start.url} (data in {start.data})"]
    return "\n".join([*lines, *(f"  {name:<9} {value}" for name, value in rows.items())])


def in_words(assignments: Assignments) -> str:
    """`azureml-2019-07 (enforce); team/*: azureml-2020-11 (warn)`."""
    each = [(pattern, assignments.of(pattern)) for pattern in assignments.patterns]
    return "; ".join(
        f"{'' if pattern == EVERY else f'{pattern}: '}{bound.policy.name} ({bound.mode.value})"
        for pattern, bound in each
    )


def how_to_begin(url: str, made: FirstStart, program: str) -> str:
    """The secrets, shown only now, and commands that use them, ready to run.

    Args:
        url: where the server listens.
        made: the principals of the first start.
        program: how the person calls this command.
    """
    host = reachable_host(url)
    image = f"{host}/team/app:v1"
    # A clone of the project has an image to build; elsewhere only the person knows one.
    make = f"docker build --tag {image} {_EXAMPLE}" if _EXAMPLE.is_dir() else f"docker tag YOUR-IMAGE {image}"
    return f"""
{secrets(made)}

Sign in, push, check, sign in as the reader, pull:
  echo '{made.admin.secret()}' | docker login {host} --username admin --password-stdin
  {make}
  docker push {image}
  {program} check {image}
  {program} explain {image}
  echo '{made.reader.secret()}' | docker login {host} --username reader --password-stdin
  docker pull {image}

More: {program} --help"""


def secrets(made: FirstStart) -> str:
    """The secrets of the first start, one principal a line."""
    rows = [
        f"  {enrolment.row.name:<8} {enrolment.row.role:<8} {enrolment.secret()}"
        for enrolment in (made.admin, made.reader)
    ]
    return "\n".join(["First start. These secrets are shown this once; only their hashes are kept.", *rows])


def reachable_host(url: str) -> str:
    """`HOST:PORT` that reaches the server from this machine."""
    parts = urlsplit(url)
    name = _EVERY_INTERFACE.get(parts.hostname or "", parts.netloc.rpartition(":")[0])
    return f"{name}:{parts.port}"
