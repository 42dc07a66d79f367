"""Artifacts that real tools push: not applicable to the policy, and whoever may pull gets them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.clients.client import Client
from tests.clients.conftest import Connect
from tests.clients.oras import Oras
from tests.clients.regctl import Regctl
from tests.clients.roster import ROSTER, Entry
from tests.clients.site import Site
from tests.policy.artifacts_made import ENVELOPE, GGUF, SIGNED, empty_image, tarred

NAMED = {entry.name: entry for entry in ROSTER}
NONE = ("", b"")
TAR_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
FORMS = {
    "files": (NONE, {"model.bin": ("application/octet-stream", bytes(4096)), "read.me": ("text/plain", b"hello")}),
    "a chart": (
        ("application/vnd.cncf.helm.config.v1+json", b'{"name":"app","version":"0.1.0","apiVersion":"v2"}'),
        {"app.tgz": ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", tarred("app/Chart.yaml"))},
    ),
    "policies": (
        ("application/vnd.cncf.openpolicyagent.config.v1+json", b"{}"),
        {"main.rego": ("application/vnd.cncf.openpolicyagent.policy.layer.v1+rego", b"package main\n")},
    ),
    "a module": (
        ("application/vnd.wasm.config.v0+json", b'{"os":"wasip1","architecture":"wasm"}'),
        {"main.wasm": ("application/wasm", b"\0asm\1\0\0\0")},
    ),
    "a model": (
        ("application/vnd.cncf.model.config.v1+json", b'{"descriptor":{},"config":{},"modelfs":{"type":"layers"}}'),
        {"weights": ("application/vnd.cncf.model.weight.v1.raw", GGUF)},
    ),
    "a signature": (
        ("application/vnd.oci.image.config.v1+json", empty_image()),
        {"payload": ("application/vnd.dev.cosign.simplesigning.v1+json", SIGNED.encode())},
    ),
    "an attestation": (NONE, {"statement": ("application/vnd.in-toto+json", ENVELOPE.encode())}),
}


@pytest.fixture
def entry(request: pytest.FixtureRequest) -> Entry:
    """The client that the test's own mark names."""
    return NAMED[str(request.param)]


@pytest.fixture
def name(site: Site, repository: str) -> str:
    """Where the artifact goes."""
    return site.name(repository, "v1")


@pytest.fixture
def verdict(entry: Entry, connect: Connect, site: Site, name: str) -> Callable[[], str]:
    """The verdict on what is there; the principal that may only pull gets it whole."""

    def asked() -> str:
        reader = connect(entry, site.endpoint)
        reader.log_in(site.reader.username, site.reader.password).check()
        reader.pull(name).check()
        with site.http() as http:
            answer: str = http.post("/policy/v1/references:check", json={"reference": name}).json()["verdict"]
        return answer

    return asked


def _written(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.mark.client("oras")
@pytest.mark.xdist_group("oras")
@pytest.mark.parametrize("site", ["HTTP"], indirect=True)
@pytest.mark.parametrize("entry", ["oras"], indirect=True)
@pytest.mark.parametrize("form", FORMS)
def test_what_oras_pushes(client: Client, name: str, verdict: Callable[[], str], tmp_path: Path, form: str) -> None:
    """Files with a type each, with and without a configuration."""
    (kind, config), files = FORMS[form]
    _written(tmp_path, {file: content for file, (_, content) in files.items()} | {"config.json": config})
    configured = ("--config", f"{tmp_path / 'config.json'}:{kind}") if kind else ("--artifact-type", "text/example")
    assert isinstance(client, Oras)
    flags = ("--no-tty", "--disable-path-validation", "--plain-http", *configured)
    client.program.run("push", *flags, name, *(f"{tmp_path / file}:{files[file][0]}" for file in files)).check()
    assert verdict() == "not-applicable"


@pytest.mark.client("oras")
@pytest.mark.xdist_group("oras")
@pytest.mark.parametrize("site", ["HTTP"], indirect=True)
@pytest.mark.parametrize("entry", ["oras"], indirect=True)
def test_a_folder_that_oras_pushes(client: Client, name: str, verdict: Callable[[], str], tmp_path: Path) -> None:
    """oras packs a folder as a tar.gz of the type of an image's layer; beside an empty configuration it is none."""
    (tmp_path / "data").mkdir()
    _written(tmp_path / "data", {"values.json": json.dumps({"a": 1}).encode()})
    assert isinstance(client, Oras)
    flags = ("--no-tty", "--disable-path-validation", "--plain-http", "--artifact-type", "text/example")
    client.program.run("push", *flags, name, str(tmp_path / "data")).check()
    fetched = client.program.run("manifest", "fetch", "--plain-http", name).check().output
    assert json.loads(fetched)["layers"][0]["mediaType"] == TAR_GZIP
    assert verdict() == "not-applicable"


@pytest.mark.client("regctl")
@pytest.mark.xdist_group("regctl")
@pytest.mark.parametrize("site", ["HTTP"], indirect=True)
@pytest.mark.parametrize("entry", ["regctl"], indirect=True)
def test_what_regctl_pushes(client: Client, name: str, verdict: Callable[[], str], tmp_path: Path) -> None:
    """An artifact with a type of its own and one file."""
    _written(tmp_path, {"sbom.json": b'{"spdxVersion":"SPDX-2.3"}'})
    assert isinstance(client, Regctl)
    flags = ("--artifact-type", "application/spdx+json", "--file", str(tmp_path / "sbom.json"))
    client.program.run("artifact", "put", *flags, name).check()
    assert verdict() == "not-applicable"
