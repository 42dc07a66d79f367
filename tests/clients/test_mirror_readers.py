"""docs/mirroring.md with real readers: docker, podman, skopeo and containerd behind a registry with an upstream."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.client import Client, Endpoint
from tests.clients.conftest import Connect
from tests.clients.daemons import containerd_daemon
from tests.clients.docker import Docker
from tests.clients.layouts import Layout
from tests.clients.program import Program
from tests.clients.roster import ROSTER, Daemons, Entry
from tests.clients.trees import cleared_image, refused_image
from tests.installation import Account, Installation
from tests.repository import Repository
from tests.runtime.site import NEWEST
from tests.servers import LiveRegistry, open_registry

PAGE = (Path(__file__).parents[2] / "docs" / "mirroring.md").read_text(encoding="utf-8")
READERS = [entry for entry in ROSTER if entry.name in {"docker", "podman", "skopeo", "containerd"}]
HUB = "library/python"
# containerd 2 takes minutes to build: `make test-mirror` has it.
CONTAINERDS = ["containerd", *(["containerd 2"] if os.environ.get("NEWEST_CONTAINERD") else [])]
REASON = "Python 3.7.1 found at opt/miniconda/conda-meta"


def block(beginning: str) -> str:
    """The indented block of the page that begins so, without its indent."""
    found = re.search(rf"^    {re.escape(beginning)}.*?\n\n(?=\S)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"the page has no block that begins with {beginning}"
    return re.sub(r"^ {4}", "", found[0], flags=re.MULTILINE)


@dataclass(frozen=True)
class Mirrored:
    """A registry in front of what stands for Docker Hub."""

    endpoint: Endpoint
    reader: Account

    def name(self, tag: str) -> str:
        """What the image of the upstream is called here."""
        return f"{self.endpoint.host}/hub/{HUB}:{tag}"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegistry]:
    """A registry that stands for Docker Hub: library/python with an image that fits, and one that does not."""
    folder = tmp_path_factory.mktemp("hub")
    layout = Layout(folder / "layout")
    digests = {"3.6": layout.add("3.6", cleared_image()), "3.7": layout.add("3.7", refused_image())}
    with open_registry(folder / "data") as live, live.client() as client:
        there = Repository(client, HUB)
        for file in layout.blobs.iterdir():
            there.blob(file.read_bytes())
        for tag, digest in digests.items():
            raw = (layout.blobs / digest.partition(":")[2]).read_bytes()
            assert there.put(tag, raw).status_code == 201
        yield live


@pytest.fixture
def mirrored(hub: LiveRegistry, tmp_path: Path) -> Iterator[Mirrored]:
    """The page's settings, with what stands for Docker Hub in its place."""
    settings: dict[str, Any] = yaml.safe_load(block("upstreams:"))
    for entry in settings["upstreams"]:
        entry |= {"url": hub.url, "namespace": entry["url"]}
    file = tmp_path / "mirror.json"
    file.write_text(json.dumps(settings))
    installation = Installation(tmp_path / "data", {})
    reader = installation.create_principal("ci-reader", "AcrPull")
    with installation.serve("--config", str(file)) as host:
        yield Mirrored(Endpoint(host, None), reader)


@pytest.fixture
def client(entry: Entry, mirrored: Mirrored, connect: Connect) -> Client:
    """A reader, signed in as one that may only pull."""
    made = connect(entry, mirrored.endpoint)
    made.log_in(mirrored.reader.username, mirrored.reader.password).check()
    return made


@pytest.mark.parametrize("entry", [entry.parameter() for entry in READERS])
def test_the_first_pulls(entry: Entry, client: Client, mirrored: Mirrored) -> None:
    """An image that fits comes; one that does not is refused with the reason, the first time as the second."""
    client.pull(mirrored.name("3.6")).check()
    for _ in range(2):
        outcome = client.pull(mirrored.name("3.7"))
        assert not outcome.ok
        assert (REASON if entry.shows_reasons else "403 Forbidden") in outcome.output


@pytest.mark.parametrize("entry", [entry.parameter() for entry in READERS if entry.name == "docker"])
def test_the_command_of_the_page(entry: Entry, client: Client, mirrored: Mirrored) -> None:
    """`docker pull` as it is written, but for the port."""
    assert isinstance(client, Docker)
    line = block("docker pull ").strip().replace("127.0.0.1:5000", mirrored.endpoint.host)
    client.program.run(*line.split()[1:]).check()


@pytest.fixture(params=CONTAINERDS)
def ctr(request: pytest.FixtureRequest, daemons: Daemons, tmp_path: Path) -> Iterator[Program]:
    """The `ctr` of a containerd: the machine's, and the newest."""
    if request.param == "containerd":
        yield Program(("ctr", "--address", str(daemons.socket("containerd"))), tmp_path)
        return
    variables = {"PATH": f"{NEWEST}{os.pathsep}{os.environ['PATH']}"}
    with containerd_daemon(tmp_path, str(NEWEST / "containerd"), variables) as socket:
        yield Program((str(NEWEST / "ctr"), "--address", str(socket)), tmp_path)


@pytest.mark.client("containerd", "ctr")
@pytest.mark.root
@pytest.mark.xdist_group("containerd")
@pytest.mark.parametrize(("tag", "comes"), [("3.6", True), ("3.7", False)])
def test_containerd_with_a_mirror(mirrored: Mirrored, ctr: Program, tmp_path: Path, tag: str, comes: bool) -> None:
    """`hosts.toml` of the page: an image of docker.io comes from here, or not at all."""
    hosts = tmp_path / "certs.d" / "docker.io" / "hosts.toml"
    hosts.parent.mkdir(parents=True)
    hosts.write_text(block("server = ").replace("127.0.0.1:5000", mirrored.endpoint.host))
    login = f"{mirrored.reader.username}:{mirrored.reader.password}"
    flags = ("--hosts-dir", str(hosts.parents[1]), "--user", login, "--snapshotter", "overlayfs")
    outcome = ctr.run("--namespace", f"mirror-{tag}", "images", "pull", *flags, f"docker.io/{HUB}:{tag}")
    assert outcome.ok is comes, outcome.output
