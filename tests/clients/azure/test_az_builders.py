"""`az acr build` as it is typed, with the other programs that build."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.azure.az import REGISTRY, live_cloud
from tests.clients.azure.test_az_build import last_line, prepare
from tests.clients.daemons import docker_daemon

pytestmark = [pytest.mark.root, pytest.mark.client("busybox"), pytest.mark.xdist_group("azure-cli")]


@pytest.mark.parametrize(
    "builder",
    [
        pytest.param("docker", marks=pytest.mark.client("docker", "dockerd")),
        pytest.param("podman", marks=pytest.mark.client("podman")),
    ],
)
def test_the_command_of_the_document(tmp_path: Path, builder: str) -> None:
    """It builds, pushes, gives the verdict, and ends with its sentence."""
    with ExitStack() as stack:
        settings = {"BUILDS__BUILDER": builder}
        if builder == "docker":
            (tmp_path / "docker").mkdir()
            settings["BUILDS__DOCKER_HOST"] = f"unix://{stack.enter_context(docker_daemon(tmp_path / 'docker'))}"
        cloud = stack.enter_context(live_cloud(tmp_path, **settings))
        az = prepare(cloud.signed_in(tmp_path / "az", cloud.owner))
        command = ("acr", "build", "--image", "myimage:v1", "--registry", REGISTRY, "--file", "Dockerfile", ".")
        done = az.run(*command).check()
    assert re.fullmatch(r"Run ID: c\w+ was successful after \d+s", last_line(done))
    assert re.search(r"^denied: myimage:v1@sha256:[0-9a-f]{64}", done.output, re.MULTILINE)
