"""`az acr import`: an image comes into a repository, and az waits until it is there."""

from pathlib import Path

import pytest

from tests.clients.azure.az import REGISTRY, Az, Cloud
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image
from tests.policy.cli.transfers import run

pytestmark = pytest.mark.xdist_group("azure-cli")


def login(cloud: Cloud) -> tuple[str, ...]:
    """The flags that sign in as the owner."""
    return ("--username", cloud.owner.username, "--password", cloud.owner.password, "--ca-file", str(cloud.ca))


def source(cloud: Cloud, folder: Path) -> str:
    """Push `team/source:v1`; its digest."""
    layout = Layout(folder)
    digest = layout.add("v1", cleared_image())
    done = run("import", str(layout.folder), f"{cloud.host}/team/source", *login(cloud))
    assert done.exit_code == 0, done.output
    return digest


def test_import(az: Az, cloud: Cloud, tmp_path: Path) -> None:
    """From a repository of this registry, which az finds among the registries; a tag that is there does not move."""
    digest = source(cloud, tmp_path / "layout")
    of = ("--source", "team/source:v1", "--registry", REGISTRY)
    words = ("acr", "import", "--name", REGISTRY, *of, "--image", "team/it:v1")
    az.run(*words).check()
    assert "is there already" in az.run(*words).output
    shown = run("copy", f"{cloud.host}/team/it:v1", f"{cloud.host}/team/again", *login(cloud))
    assert f"{cloud.host}/team/again:v1@{digest} imported" in shown.output
