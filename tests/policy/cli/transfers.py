"""Runs the commands that move images, over data folders and live servers, with images cleared and refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from policy.testing.credentials import Credentials
from registry.metadata.open_store import open_metadata
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway


def run(*words: str, **environment: str) -> Result:
    """One command, to its end."""
    return CliRunner().invoke(basegate, list(words), env=environment)


def piped(content: bytes, *words: str) -> "subprocess.CompletedProcess[bytes]":
    """One command as a process of its own, with content on its standard input."""
    command = [sys.executable, "-m", "policy", *words]
    return subprocess.run(command, input=content, capture_output=True, check=False)


def signed_in(live: LiveGateway, name: str) -> dict[str, str]:
    """The environment of a command that is called by a principal."""
    return signed_in_as(Credentials(name, live.secrets[name]))


def signed_in_as(who: Credentials) -> dict[str, str]:
    """The same by what signs in."""
    return {"BASEGATE_USERNAME": who.username, "BASEGATE_PASSWORD": who.password}


def events(result: Result, kind: str) -> list[dict[str, Any]]:
    """The objects of one kind that a command with --json has printed."""
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return [event for event in found if event["event"] == kind]


def empty_registry(data: Path) -> str:
    """A data folder with a registry in it."""
    open_metadata(data).close()
    return str(data)


def lab_images(folder: Path) -> Layout:
    """A layout of an image that is cleared, `good`, and of one that is refused, `bad`."""
    layout = Layout(folder)
    layout.add("good", cleared_image())
    layout.add("bad", refused_image())
    return layout


def dump(client: httpx.Client) -> dict[str, Any]:
    """Everything that a caller sees of a registry: catalog, tags, digests, referrers, and their bytes' digests."""
    found: dict[str, Any] = {}
    for name in client.get("/v2/_catalog").json()["repositories"]:
        tags = client.get(f"/v2/{name}/tags/list").json()["tags"]
        digests = {tag: client.head(f"/v2/{name}/manifests/{tag}").headers["docker-content-digest"] for tag in tags}
        referrers = {digest: client.get(f"/v2/{name}/referrers/{digest}").json() for digest in digests.values()}
        found[name] = {"tags": digests, "referrers": referrers}
    return found
