"""The commands that an image's page offers to copy do what they say, as they stand there."""

import html
import re
import shlex

import httpx
import pytest

from tests.clients.client import Client, OwnHome
from tests.clients.roster import ROSTER
from tests.clients.site import Site

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
