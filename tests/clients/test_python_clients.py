"""Clients in Python, as programs use them: docker's SDK against an engine, and oras-py."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import APIError
from oras.client import OrasClient

from tests.clients.roster import Daemons
from tests.clients.site import Site
from tests.installation import Account

pytestmark = pytest.mark.parametrize("site", ["HTTP"], indirect=True)
with_docker = [pytest.mark.client("docker", "dockerd"), pytest.mark.root, pytest.mark.xdist_group("docker")]


@pytest.fixture(name="repository")
def _repository() -> str:
    return f"python/{uuid.uuid4().hex[:12]}"


@pytest.fixture(name="engine")
def _engine(daemons: Daemons) -> Iterator[docker.DockerClient]:
    """docker's SDK, connected to the engine of the tests."""
    opened = docker.DockerClient(base_url=f"unix://{daemons.socket('docker')}")
    yield opened
    opened.close()


def push(engine: docker.DockerClient, site: Site, repository: str, tag: str) -> str:
    """Load an image into the engine, and push it from there as the owner; what the engine said last."""
    archive = site.data.parent / f"{uuid.uuid4().hex}.tar"
    site.layout.write_docker_archive(tag, archive, site.name(repository, tag))
    engine.images.load(archive.read_bytes())
    archive.unlink()
    return str(engine.images.push(site.name(repository, tag), auth_config=account(site.owner))).splitlines()[-1]


def account(who: Account) -> dict[str, str]:
    """As the SDK wants it."""
    return {"username": who.username, "password": who.password}


@pytest.mark.parametrize("who", [pytest.param("owner", marks=with_docker), pytest.param("reader", marks=with_docker)])
def test_an_image_goes_to_and_fro_with_the_sdk_of_docker(
    engine: docker.DockerClient, site: Site, repository: str, who: str
) -> None:
    """The cleared image is pulled by tag by either, and is the one that was pushed."""
    assert '"Digest"' in push(engine, site, repository, "cleared")
    name = site.name(repository, "cleared")
    engine.images.remove(name)
    login = account(getattr(site, who))
    pulled = engine.images.pull(f"{site.endpoint.host}/{repository}", "cleared", auth_config=login)
    with site.http() as http:
        digest = http.head(f"/v2/{repository}/manifests/cleared").headers["docker-content-digest"]
    assert name in pulled.tags
    assert f"{site.endpoint.host}/{repository}@{digest}" in pulled.attrs["RepoDigests"]


@pytest.mark.parametrize("tag", [pytest.param("refused", marks=with_docker)])
def test_the_sdk_of_docker_is_told_why(engine: docker.DockerClient, site: Site, repository: str, tag: str) -> None:
    """Who may only pull gets the finding as the exception's text."""
    push(engine, site, repository, tag)
    engine.images.remove(site.name(repository, tag))
    with pytest.raises(APIError, match=r"Python 3\.7\.1 found at .* needs 3\.5\.x or 3\.6\.x"):
        engine.images.pull(f"{site.endpoint.host}/{repository}", tag, auth_config=account(site.reader))


def oras(site: Site, who: Account) -> OrasClient:
    """oras-py, signed in; its other way asks for one token alone, to look, and never for a wider one to push with."""
    made = OrasClient(hostname=site.endpoint.host, insecure=True, auth_backend="basic")
    made.login(who.username, who.password, hostname=site.endpoint.host)
    return made


def test_a_file_goes_to_and_fro_with_oras_py(
    site: Site, repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pushed by the owner, pulled by who may only pull; its tag is listed."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Path("model.txt").write_text("weights")
    target = site.name(repository, "v1")
    pushed = oras(site, site.owner).push(target=target, files=["model.txt"])
    reader = oras(site, site.reader)
    (pulled,) = reader.pull(target=target, outdir=str(tmp_path / "pulled"))
    assert (pushed.status_code, Path(pulled).read_text()) == (201, "weights")
    assert reader.get_tags(target) == ["v1"]
