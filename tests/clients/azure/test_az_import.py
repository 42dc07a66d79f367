"""`az acr import`: an image comes into a repository, and az waits until it is there."""

from pathlib import Path

import pytest

from tests.clients.azure.az import REGISTRY, Az, Cloud
from tests.clients.azure.pushing import login, pushed
from tests.policy.cli.transfers import run

pytestmark = pytest.mark.xdist_group("azure-cli")


def test_import(az: Az, cloud: Cloud, tmp_path: Path) -> None:
    """From a repository of this registry, which az finds among the registries; a tag that is there does not move."""
    digest = pushed(cloud, tmp_path, "team/source:v1")
    of = ("--source", "team/source:v1", "--registry", REGISTRY)
    words = ("acr", "import", "--name", REGISTRY, *of, "--image", "team/it:v1")
    az.run(*words).check()
    assert "is there already" in az.run(*words).output
    shown = run("copy", f"{cloud.host}/team/it:v1", f"{cloud.host}/team/again", *login(cloud))
    assert f"{cloud.host}/team/again:v1@{digest} imported" in shown.output
