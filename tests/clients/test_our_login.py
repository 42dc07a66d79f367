"""`basegate login` signs in docker, podman and skopeo: each pulls with what was kept, and not without."""

from pathlib import Path

import pytest

from tests.clients.client import OwnHome
from tests.clients.conftest import Connect
from tests.clients.roster import ROSTER, Entry
from tests.clients.site import Site
from tests.policy.cli.transfers import run

READERS = [entry.parameter() for entry in ROSTER if entry.name in {"docker", "podman", "skopeo"}]


@pytest.fixture
def image(site: Site, repository: str) -> str:
    """One that a reader may pull; `basegate import` has brought it, with a secret of its own."""
    name = site.name(repository, "v1")
    owner = {"BASEGATE_USERNAME": site.owner.username, "BASEGATE_PASSWORD": site.owner.password}
    done = run("import", str(site.layout.folder), name, "--image", "cleared", *trusted(site), **owner)
    assert done.exit_code == 0, done.output
    return name


def trusted(site: Site) -> tuple[str, ...]:
    """How basegate is told of the lab's authority."""
    return () if site.endpoint.ca is None else ("--ca-file", str(site.endpoint.ca))


def log_in(site: Site, name: str, home: Path) -> None:
    """Keep the reader's secret in docker's file, or in the one that podman and skopeo are told of."""
    own = () if name == "docker" else ("--authfile", str(home / "auth.json"))
    who = ("--username", site.reader.username, "--password", site.reader.password)
    done = run("login", site.endpoint.host, *who, *own, *trusted(site), DOCKER_CONFIG=str(home))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("entry", READERS)
def test_they_pull_with_it(site: Site, connect: Connect, entry: Entry, image: str) -> None:
    """And without it they do not."""
    client = connect(entry, site.endpoint)
    assert isinstance(client, OwnHome)
    before = client.pull(image)
    log_in(site, entry.name, client.home)
    assert (before.ok, client.pull(image).check().ok) == (False, True)
