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
