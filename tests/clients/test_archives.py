"""Archives and layouts that other programs write are imported, and what `basegate export` writes is read by them."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.client import Client
from tests.clients.conftest import Connect
from tests.clients.layouts import Layout
from tests.clients.program import Program
from tests.clients.roster import ROSTER
from tests.clients.site import Site
from tests.installation import Installation
from tests.policy.cli.transfers import events, run

_ENTRIES = {entry.name: entry for entry in ROSTER}
_SCRATCH = "scratch/source:cleared"


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server over plain HTTP: what a client does over TLS is not asked here. It holds an image with a signature."""
    folder = tmp_path_factory.mktemp("site")
    with Site.started(Installation(folder / "data", {}), "HTTP") as live:
        words = ("import", str(live.layout.folder), f"{live.endpoint.host}/scratch/source", "--image", "cleared")
        assert run(*words, **_owner(live)).exit_code == 0
        yield live


def _owner(site: Site) -> dict[str, str]:
    return {"BASEGATE_USERNAME": site.owner.username, "BASEGATE_PASSWORD": site.owner.password}


@dataclass(frozen=True, slots=True)
class Desk:
    """What a writer writes with: a client that is signed in, the image's layout, and where to."""

    client: Client
    program: Program
    layout: Layout
    reference: str
    out: Path


def _docker(desk: Desk) -> None:
    desk.layout.write_docker_archive("cleared", desk.out.parent / "load.tar", "example/it:v7")
    desk.program.run("load", "--input", str(desk.out.parent / "load.tar")).check()
    desk.program.run("save", "--output", str(desk.out), "example/it:v7").check()


def _podman(form: str) -> Callable[[Desk], None]:
    def write(desk: Desk) -> None:
        image = desk.program.run("pull", "--quiet", f"oci:{desk.layout.folder}:cleared").check().output.split()[-1]
        desk.program.run("tag", image, "example.org/it:v7").check()
        desk.program.run("save", "--format", form, "--output", str(desk.out), "example.org/it:v7").check()

    return write


def _skopeo(form: str) -> Callable[[Desk], None]:
    def write(desk: Desk) -> None:
        name = "example.org/it:v7" if form == "docker-archive" else "v7"
        desk.program.run("copy", f"oci:{desk.layout.folder}:cleared", f"{form}:{desk.out}:{name}").check()

    return write


def _skopeo_all(desk: Desk) -> None:
    source = f"oci:{desk.layout.folder}:platforms"
    desk.program.run("copy", "--multi-arch", "all", source, f"oci-archive:{desk.out}:v7").check()


def _oras(desk: Desk) -> None:
    desk.program.run("backup", "--no-tty", "--plain-http", "--output", str(desk.out), desk.reference).check()


def _crane(form: str) -> Callable[[Desk], None]:
    def write(desk: Desk) -> None:
        flags = ("--format", form, "--platform", "linux/amd64", *(["--annotate-ref"] if form == "oci" else []))
        desk.program.run("pull", *flags, desk.reference, str(desk.out)).check()

    return write


def _regctl(desk: Desk) -> None:
    desk.program.run("image", "export", desk.reference, str(desk.out)).check()


WRITERS: dict[str, tuple[str, str, Callable[[Desk], None]]] = {
    "docker save": ("docker", "it.tar", _docker),
    "podman save": ("podman", "it.tar", _podman("docker-archive")),
    "podman save, OCI archive": ("podman", "it.tar", _podman("oci-archive")),
    "podman save, OCI folder": ("podman", "it", _podman("oci-dir")),
    "skopeo, docker archive": ("skopeo", "it.tar", _skopeo("docker-archive")),
    "skopeo, OCI archive": ("skopeo", "it.tar", _skopeo("oci-archive")),
    "skopeo, OCI folder": ("skopeo", "it", _skopeo("oci")),
    "skopeo, all platforms": ("skopeo", "it.tar", _skopeo_all),
    "oras backup, folder": ("oras", "it", _oras),
    "oras backup, tar": ("oras", "it.tar", _oras),
    "crane, tarball": ("crane", "it.tar", _crane("tarball")),
    "crane, legacy tarball": ("crane", "it.tar", _crane("legacy")),
    "crane, OCI folder": ("crane", "it", _crane("oci")),
    "regctl export": ("regctl", "it.tar", _regctl),
}


def _marked(names: dict[str, str]) -> list[object]:
    """Names as parameters, each with the marks of its client."""
    return [pytest.param(name, marks=_ENTRIES[client].parameter().marks) for name, client in names.items()]


@pytest.mark.parametrize("writer", _marked({name: client for name, (client, _, _) in WRITERS.items()}))
def test_what_others_write_is_imported(writer: str, site: Site, connect: Connect, homes: Path) -> None:
    """With its verdict, which is the same whoever has written it."""
    name, out, write = WRITERS[writer]
    client = connect(_ENTRIES[name], site.endpoint)
    client.log_in(site.owner.username, site.owner.password).check()
    write(Desk(client, client.program, site.layout, f"{site.endpoint.host}/{_SCRATCH}", homes / out))  # type: ignore[attr-defined]
    words = ("import", str(homes / out), f"{site.endpoint.host}/imported/{uuid.uuid4().hex}", "--json")
    result = run(*words, **_owner(site))
    assert [image["verdict"] for image in events(result, "image")] == ["cleared"], result.output


@pytest.mark.client("umoci")
def test_what_umoci_writes_is_imported(site: Site, homes: Path) -> None:
    """A layout that it has changed: another configuration above the same layers."""
    shutil.copytree(site.layout.folder, homes / "it")
    Program(("umoci",), homes).run("config", "--image", "it:cleared", "--tag", "v7", "--author", "umoci").check()
    words = ("import", str(homes / "it"), f"{site.endpoint.host}/imported/umoci", "--image", "v7", "--json")
    result = run(*words, **_owner(site))
    assert [image["verdict"] for image in events(result, "image")] == ["cleared"], result.output


@dataclass(frozen=True, slots=True)
class Exported:
    """An export of one image, also `alone`, without what refers to it, and what a reader needs."""

    tar: Path
    folder: Path
    alone: Path
    digest: str
    target: str


@pytest.fixture(name="exported")
def _exported(site: Site, homes: Path) -> Exported:
    """An image as a tar and as a folder, with what refers to it, and a repository to put it."""
    source = f"{site.endpoint.host}/{_SCRATCH}"
    for out, *flags in (("out.tar",), ("out",), ("alone", "--no-referrers")):
        result = run("export", source, str(homes / out), "--json", *flags, **_owner(site))
        assert result.exit_code == 0, result.output
    [image] = events(result, "exported")[0]["images"]
    target = f"{site.endpoint.host}/read/{uuid.uuid4().hex}"
    return Exported(homes / "out.tar", homes / "out", homes / "alone", image["digest"], target)


def _restored(source: Path, it: Exported) -> tuple[str, ...]:
    return ("restore", "--no-tty", "--plain-http", "--input", str(source), f"{it.target}:cleared")


READERS: dict[str, tuple[str, Callable[[Exported], tuple[str, ...]]]] = {
    "oras restore, tar": ("oras", lambda it: _restored(it.tar, it)),
    "oras restore, folder": ("oras", lambda it: _restored(it.folder, it)),
    "skopeo, tar": ("skopeo", lambda it: _skopeo_push(f"oci-archive:{it.tar}:cleared", it)),
    "skopeo, folder": ("skopeo", lambda it: _skopeo_push(f"oci:{it.folder}:cleared", it)),
    "crane push": ("crane", lambda it: ("push", str(it.alone), f"{it.target}:cleared")),
    "regctl image import": ("regctl", lambda it: ("image", "import", f"{it.target}:cleared", str(it.tar))),
    "regctl image copy": (
        "regctl",
        lambda it: ("image", "copy", f"ocidir://{it.folder}:cleared", f"{it.target}:cleared"),
    ),
}


def _skopeo_push(source: str, exported: Exported) -> tuple[str, ...]:
    return ("copy", "--dest-tls-verify=false", source, f"docker://{exported.target}:cleared")


@pytest.mark.parametrize("reader", _marked({name: client for name, (client, _) in READERS.items()}))
def test_what_is_exported_is_read(reader: str, site: Site, connect: Connect, exported: Exported) -> None:
    """The image that arrives has the digest of the one that went out."""
    name, words = READERS[reader]
    client = connect(_ENTRIES[name], site.endpoint)
    client.log_in(site.owner.username, site.owner.password).check()
    client.program.run(*words(exported)).check()  # type: ignore[attr-defined]
    with site.http() as http:
        path = f"/v2/{exported.target.partition('/')[2]}/manifests/cleared"
        assert http.head(path).headers["docker-content-digest"] == exported.digest


def _attach(oras: Client, file: Path, reference: str) -> None:
    file.write_text("parts")
    oras.attach(reference, "application/vnd.example.sbom", file).check()  # type: ignore[attr-defined]


def _restore_and_back_up(oras: Program, homes: Path, reference: str) -> None:
    flags = ("--no-tty", "--plain-http")
    oras.run("restore", *flags, "--input", str(homes / "out.tar"), reference).check()
    oras.run("backup", *flags, "--include-referrers", "--output", str(homes / "b.tar"), reference).check()


@pytest.mark.client("oras")
def test_what_refers_to_an_image_goes_through_oras_and_back(site: Site, connect: Connect, homes: Path) -> None:
    """Attached by oras, exported, restored by oras, backed up by it, imported: the same signature each time."""
    oras = connect(_ENTRIES["oras"], site.endpoint)
    oras.log_in(site.owner.username, site.owner.password).check()
    host, attached = site.endpoint.host, f"{site.endpoint.host}/signed/first:v1"
    run("copy", f"{host}/{_SCRATCH}", attached, **_owner(site))
    _attach(oras, homes / "sbom", attached)
    run("export", attached, str(homes / "out.tar"), **_owner(site))
    _restore_and_back_up(oras.program, homes, f"{host}/signed/second:v1")  # type: ignore[attr-defined]
    run("import", str(homes / "b.tar"), f"{host}/signed/third", **_owner(site))
    with site.http() as http:
        digest = http.head("/v2/signed/first/manifests/v1").headers["docker-content-digest"]
        asked = {"artifactType": "application/vnd.example.sbom"}
        paths = [f"/v2/signed/{name}/referrers/{digest}" for name in ("first", "second", "third")]
        found = [http.get(path, params=asked).json()["manifests"] for path in paths]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 1
