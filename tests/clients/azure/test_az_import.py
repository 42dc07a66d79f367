"""`az acr import`: an image comes into a repository, and az waits until it is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.azure.az import REGISTRY, Az, Cloud, live_cloud
from tests.clients.azure.pushing import login, pushed
from tests.clients.trees import cleared_image
from tests.policy.cli.transfers import run
from tests.policy.live import LiveGateway, live_gateway

pytestmark = pytest.mark.xdist_group("azure-cli")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[LiveGateway]:
    """Another registry, whose image its reader may pull."""
    with live_gateway(tmp_path / "other") as live:
        live.push(tmp_path / "layout", "team/base:v1", cleared_image())
        yield live


def test_import(az: Az, cloud: Cloud, tmp_path: Path) -> None:
    """From a repository of this registry, which az finds among the registries; a tag that is there does not move."""
    digest = pushed(cloud, tmp_path, "team/source:v1")
    of = ("--source", "team/source:v1", "--registry", REGISTRY)
    words = ("acr", "import", "--name", REGISTRY, *of, "--image", "team/it:v1")
    az.run(*words).check()
    assert "is there already" in az.run(*words).output
    shown = run("copy", f"{cloud.host}/team/it:v1", f"{cloud.host}/team/again", *login(cloud))
    assert f"{cloud.host}/team/again:v1@{digest} imported" in shown.output


def test_import_of_another_registrys(other: LiveGateway, tmp_path: Path) -> None:
    """With a login for it; a wrong one is told, and so is a registry that the settings do not name."""
    with live_cloud(tmp_path / "cloud", IMPORTS__REGISTRIES=other.host) as cloud:
        az = cloud.signed_in(tmp_path / "az", cloud.owner)
        words = ("acr", "import", "--name", REGISTRY, "--image", "team/it:v1", "--source")
        login_there = ("--username", "reader", "--password")
        wrong = az.run(*words, f"{other.host}/team/base:v1", *login_there, "wrong")
        az.run(*words, f"{other.host}/team/base:v1", *login_there, other.secrets["reader"]).check()
        unnamed = az.run(*words, "registry.example/team/base:v1", *login_there, "any")
        shown = az.run("acr", "manifest", "show-metadata", "--registry", REGISTRY, "--name", "team/it:v1")
    assert (wrong.ok, unnamed.ok, shown.ok) == (False, False, True)
