"""Artifacts by the tools that are made for them (`make artifacts`): none of them is an image."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.program import Program
from tests.clients.site import Site

pytestmark = pytest.mark.parametrize("site", ["HTTP"], indirect=True)


def _verdict(site: Site, name: str) -> str:
    with site.http() as http:
        answer: str = http.post("/policy/v1/references:check", json={"reference": name}).json()["verdict"]
    return answer


@pytest.fixture
def helm(site: Site, homes: Path) -> Callable[[str], Program]:
    """helm, signed in as the owner or as the principal that may only pull."""

    def made(who: str) -> Program:
        (homes / who).mkdir()
        account = site.owner if who == "owner" else site.reader
        program = Program(("helm",), homes / who, {"HELM_CONFIG_HOME": str(homes / who)})
        flags = ("--plain-http", "-u", account.username, "--password-stdin")
        program.run("registry", "login", *flags, site.endpoint.host, text=account.password).check()
        return program

    return made


@pytest.mark.client("helm")
def test_a_chart_of_helm(site: Site, helm: Callable[[str], Program], tmp_path: Path) -> None:
    """A chart that helm packed and pushed: not applicable, and a reader's helm gets it."""
    owner = helm("owner")
    owner.run("create", str(tmp_path / "app")).check()
    owner.run("package", str(tmp_path / "app"), "--destination", str(tmp_path)).check()
    folder = f"{site.endpoint.host}/charts"
    owner.run("push", "--plain-http", str(tmp_path / "app-0.1.0.tgz"), f"oci://{folder}").check()
    assert _verdict(site, f"{folder}/app:0.1.0") == "not-applicable"
    pulled = tmp_path / "pulled"
    pulled.mkdir()
    helm("reader").run("pull", "--plain-http", f"oci://{folder}/app", "--version", "0.1.0", "-d", str(pulled)).check()
    assert (pulled / "app-0.1.0.tgz").read_bytes() == (tmp_path / "app-0.1.0.tgz").read_bytes()


@pytest.fixture
def signed(site: Site, homes: Path) -> tuple[Program, str]:
    """cosign with a key pair, signed in as the owner, and an image by its digest."""
    home = homes / "cosign"
    home.mkdir()
    crane = Program(("crane",), home)
    account, host = site.owner, site.endpoint.host
    crane.run("auth", "login", host, "-u", account.username, "--password-stdin", text=account.password).check()
    source, name = f"{site.layout.folder}:cleared", f"{host}/signed/app"
    Program(("oras",), home).run("cp", "--from-oci-layout", source, "--to-plain-http", f"{name}:v1").check()
    digest = crane.run("digest", f"{name}:v1").check().output.strip()
    program = Program(("cosign",), home, {"COSIGN_PASSWORD": ""})
    program.run("generate-key-pair").check()
    (home / "about.json").write_text('{"spdxVersion": "SPDX-2.3"}')
    return program, f"{name}@{digest}"


OFFLINE = ("--tlog-upload=false", "--allow-http-registry", "--yes")
ADDED = {
    "sig": ("sign", "--key", "cosign.key", *OFFLINE),
    "att": ("attest", "--key", "cosign.key", "--type", "custom", "--predicate", "about.json", *OFFLINE),
    "sbom": ("attach", "sbom", "--sbom", "about.json", "--allow-http-registry"),
}


@pytest.mark.client("cosign")
@pytest.mark.parametrize("ending", ADDED)
def test_what_cosign_adds_to_an_image(site: Site, signed: tuple[Program, str], ending: str) -> None:
    """A signature, an attestation, an SBOM, each under a tag of the image's digest: not applicable."""
    cosign, image = signed
    cosign.run(*ADDED[ending], image).check()
    name, _, digest = image.partition("@")
    assert _verdict(site, f"{name}:{digest.replace(':', '-')}.{ending}") == "not-applicable"


@pytest.mark.client("cosign")
def test_a_bundle_of_cosign(site: Site, signed: tuple[Program, str]) -> None:
    """The newer form, a referrer of the image: not applicable as well."""
    cosign, image = signed
    cosign.run("sign", "--new-bundle-format", "--key", "cosign.key", *OFFLINE, image).check()
    name, _, digest = image.partition("@")
    with site.http() as http:
        found = http.get(f"/v2/signed/app/referrers/{digest}").json()["manifests"]
    assert [_verdict(site, f"{name}@{item['digest']}") for item in found] == ["not-applicable"]


def _built_by_ko(site: Site, base: str, source: Path) -> str:
    """An image of a Go program on a base image, and its digest."""
    source.mkdir()
    (source / "go.mod").write_text("module example.com/app\n\ngo 1.24\n")
    (source / "main.go").write_text("package main\n\nfunc main() {}\n")
    crane, host = Program(("crane",), source), site.endpoint.host
    crane.run("auth", "login", host, "-u", site.owner.username, "--password-stdin", text=site.owner.password).check()
    variables = {"KO_DOCKER_REPO": f"{host}/ko", "KO_DEFAULTBASEIMAGE": base, "TMPDIR": str(source.parent)}
    built = Program(("ko",), source, variables).run("build", "--bare", "--tags", "v1", ".", seconds=300).check()
    return built.output.strip().rpartition("@")[2]


@pytest.mark.client("ko", "go")
def test_the_list_of_parts_that_ko_adds(site: Site, signed: tuple[Program, str], homes: Path) -> None:
    """An image that ko builds is judged, and its SBOM is not applicable."""
    digest, name = _built_by_ko(site, signed[1], homes / "source"), f"{site.endpoint.host}/ko"
    assert _verdict(site, f"{name}@{digest}") == "cleared"
    assert _verdict(site, f"{name}:{digest.replace(':', '-')}.sbom") == "not-applicable"


@pytest.mark.client("conftest")
def test_policies_of_conftest(site: Site, homes: Path) -> None:
    """A bundle of Open Policy Agent's policies: not applicable."""
    home, host = homes / "conftest", site.endpoint.host
    (home / "policy").mkdir(parents=True)
    (home / "policy" / "main.rego").write_text("package main\n")
    crane = Program(("crane",), home)
    crane.run("auth", "login", host, "-u", site.owner.username, "--password-stdin", text=site.owner.password).check()
    Program(("conftest",), home).run("push", f"{host}/rules:v1").check()
    assert _verdict(site, f"{host}/rules:v1") == "not-applicable"
