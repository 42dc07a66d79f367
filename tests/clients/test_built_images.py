"""Images that real builders made out of real files: their verdicts, as the gateway tells them."""

import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.conftest import Connect
from tests.clients.containers import Buildah
from tests.clients.docker import Docker
from tests.clients.layouts import Tree
from tests.clients.program import Program
from tests.clients.roster import ROSTER, Entry
from tests.clients.site import Site
from tests.clients.trees import CONDA_PATH, miniconda, python36, ubuntu
from tests.conftest import TOOLS, missing

DEBIAN_ROOT = TOOLS.parent / "debian-root.tar"
WHITEOUT = ".wh."
SECONDS = count(1_600_000_000)
NAMED = {entry.name: entry for entry in ROSTER}


def _checked(site: Site, name: str) -> dict[str, Any]:
    with site.http() as http:
        answer: dict[str, Any] = http.post("/policy/v1/references:check", json={"reference": name}).json()
    return answer


def _write(tree: Tree, folder: Path) -> None:
    """Put a tree into a folder; a whiteout deletes, as a builder's RUN would.

    A builder takes a file of the size and the second of the one below for unchanged: each tree has a second of its own.
    """
    second = next(SECONDS)
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name.startswith(WHITEOUT):
            path.with_name(path.name.removeprefix(WHITEOUT)).unlink()
            continue
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        elif isinstance(content, str):
            path.unlink(missing_ok=True)
            path.symlink_to(content)
        else:
            path.write_bytes(content)
            path.chmod(0o755 if path.parent.name == "bin" else 0o644)
        os.utime(path, (second, second), follow_symlinks=False)


def _build(buildah: Program, base: str, trees: list[Tree], image: str) -> None:
    """Commit one layer on top of a base, the way a Dockerfile's step does."""
    container = buildah.run("from", base).check().output.split()[-1]
    root = Path(buildah.run("mount", container).check().output.split()[-1])
    for tree in trees:
        _write(tree, root)
    buildah.run("umount", container).check()
    buildah.run("config", "--env", f"PATH={CONDA_PATH}", container).check()
    buildah.run("commit", container, image).check()


@pytest.fixture
def entry(request: pytest.FixtureRequest) -> Entry:
    """The client that the test's own mark names."""
    return NAMED[str(request.param)]


def _signed_in(connect: Connect, entry: Entry, site: Site) -> Client:
    made = connect(entry, site.endpoint)
    made.log_in(site.owner.username, site.owner.password).check()
    return made


@pytest.mark.root
@pytest.mark.client("docker", "dockerd")
@pytest.mark.xdist_group("docker")
@pytest.mark.parametrize("site", ["HTTP"], indirect=True)
@pytest.mark.parametrize("entry", ["docker"], indirect=True)
def test_a_debian_root_is_refused_for_what_it_is(site: Site, entry: Entry, connect: Connect, repository: str) -> None:
    """A bootstrapped root, imported and pushed by docker: its system is told, and why it does not do."""
    if not DEBIAN_ROOT.exists():
        missing(f"{DEBIAN_ROOT.name} was not made: `make tools` does, as root, with debootstrap")
    docker = _signed_in(connect, entry, site)
    assert isinstance(docker, Docker)
    name = site.name(repository, "root")
    docker.program.run("import", str(DEBIAN_ROOT), name).check()
    docker.program.run("push", name).check()
    answer = _checked(site, name)
    assert (answer["allowed"], answer["verdict"]) == (False, "refused")
    assert answer["facts"]["os"]["id"] in {"debian", "ubuntu"}
    assert answer["facts"]["conda"] is None or answer["facts"]["conda"]["version"] is None


@pytest.mark.root
@pytest.mark.client("buildah")
@pytest.mark.xdist_group("buildah")
@pytest.mark.parametrize("site", ["HTTP"], indirect=True)
@pytest.mark.parametrize("entry", ["buildah"], indirect=True)
def test_what_a_later_layer_deletes_does_not_count(site: Site, entry: Entry, connect: Connect, repository: str) -> None:
    """Built by buildah, layer upon layer: the Python that a later layer removed and replaced is not judged."""
    buildah = _signed_in(connect, entry, site)
    assert isinstance(buildah, Buildah)
    _build(buildah.program, "scratch", [ubuntu(), miniconda()], "localhost/first")
    _build(buildah.program, "localhost/first", [python36()], "localhost/second")
    name = site.name(repository, "v1")
    buildah.program.run("push", *site.endpoint.containers_flags(), "localhost/second", f"docker://{name}").check()
    answer = _checked(site, name)
    assert (answer["allowed"], answer["verdict"]) == (True, "cleared")
    assert answer["facts"]["python"]["version"] == "3.6.8"


@pytest.mark.root
@pytest.mark.client("buildah")
@pytest.mark.xdist_group("buildah")
@pytest.mark.parametrize("site", ["HTTP"], indirect=True)
@pytest.mark.parametrize("entry", ["buildah"], indirect=True)
def test_layers_with_a_true_table_are_cleared(site: Site, entry: Entry, connect: Connect, repository: str) -> None:
    """Pushed as zstd:chunked, with a table of contents and the annotations that name it: table and tar agree."""
    buildah = _signed_in(connect, entry, site)
    assert isinstance(buildah, Buildah)
    _build(buildah.program, "scratch", [ubuntu("chunked"), miniconda()], "localhost/lazy")
    _build(buildah.program, "localhost/lazy", [python36()], "localhost/chunked")
    name = site.name(repository, "chunked")
    flags = ("--compression-format", "zstd:chunked", *site.endpoint.containers_flags())
    buildah.program.run("push", *flags, "localhost/chunked", f"docker://{name}").check()
    with site.http() as http:
        layers = http.get(f"/v2/{repository}/manifests/chunked").json()["layers"]
    assert all("manifest-checksum" in str(layer["annotations"]) for layer in layers)
    assert _checked(site, name)["verdict"] == "cleared"
