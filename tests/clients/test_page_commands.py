"""The commands that an image's page offers to copy do what they say, as they stand there."""

import html
import re
import shlex
import sys
from types import SimpleNamespace

import httpx
import pytest

from registry.oci.media_types import OCI_MANIFEST
from tests.architecture.source import ROOT
from tests.clients.client import Client, OwnHome
from tests.clients.program import Program
from tests.clients.roster import ROSTER
from tests.clients.site import Site
from tests.repository import Repository

OFFERED = {"docker": ("docker", "by digest"), "podman": ("podman",), "crane": ("crane",), "containerd": ("containerd",)}
_COMMAND = re.compile(r'<dt>([^<]+)</dt><dd><pre class="cmd">([^<]+)</pre>')


def offered(http: httpx.Client, repository: str, tag: str) -> dict[str, list[str]]:
    """The words of each command, by who it is for."""
    page = http.get(f"/r/{repository}:{tag}").raise_for_status().text
    return {word: shlex.split(html.unescape(line)) for word, line in _COMMAND.findall(page)}


@pytest.mark.parametrize("site", ["HTTP"], indirect=True)
@pytest.mark.parametrize("entry", [entry.parameter() for entry in ROSTER if entry.name in OFFERED])
def test_each_client_takes_its_command(client: Client, site: Site, repository: str) -> None:
    """After a sign-in; ctr keeps none, so its secret is put where it would ask for it."""
    assert isinstance(client, OwnHome)
    client.push(site.layout, "cleared", site.name(repository, "v1")).check()
    with site.http() as http:
        commands = offered(http, repository, "v1")
    for word in OFFERED[client.name]:
        words = [f"{each}:{site.owner.password}" if each == site.owner.username else each for each in commands[word]]
        target = client.home / "image.tar"
        target.unlink(missing_ok=True)
        client.program.run(*(str(target) if each == target.name else each for each in words[1:])).check()


@pytest.mark.parametrize("site", ["HTTP"], indirect=True)
@pytest.mark.parametrize("entry", [entry.parameter() for entry in ROSTER if entry.name == "oras"])
def test_an_artifact_has_the_command_of_oras(client: Client, site: Site, repository: str) -> None:
    """It fetches the file; docker and its kin, which cannot run it, are not offered."""
    assert isinstance(client, OwnHome)
    with site.http() as http:
        content = Repository(http, repository)
        layer = {**content.blob(b"it").descriptor, "annotations": {"org.opencontainers.image.title": "it.txt"}}
        document = content.image_document(artifactType="application/vnd.example.it") | {"layers": [layer]}
        content.put("v1", document, OCI_MANIFEST).raise_for_status()
        commands = offered(http, repository, "v1")
    assert list(commands) == ["oras", "ask"]
    client.program.run(*commands["oras"][1:]).check()
    assert (client.home / "it.txt").read_text() == "it"


@pytest.mark.parametrize("site", ["HTTP"], indirect=True)
@pytest.mark.parametrize("entry", [entry.parameter() for entry in ROSTER if entry.name == "crane"])
def test_the_line_for_azure_ml_names_what_may_be_deployed(client: Client, site: Site, repository: str) -> None:
    """It is Python, sets the base image, and the question that stands below it is answered of that image."""
    assert isinstance(client, OwnHome)
    client.push(site.layout, "cleared", site.name(repository, "v1")).check()
    with site.http() as http:
        commands = offered(http, repository, "v1")
        [line] = re.findall(r'<pre class="cmd">(env\.docker[^<]+)<', http.get(f"/r/{repository}:v1").text)
    environment = SimpleNamespace(docker=SimpleNamespace(base_image=None))
    exec(html.unescape(line), {"env": environment})  # noqa: S102 -- the page's own line is what is tried
    asking = {"DOCKER_CONFIG": str(client.home), "PYTHONPATH": str(ROOT)}
    said = Program((sys.executable, "-m", "policy"), client.home, asking).run(*commands["ask"][1:]).check()
    assert environment.docker.base_image == commands["ask"][-1] == site.name(repository, "v1")
    assert said.output.startswith("allowed")
