"""The document's own file: its public image is brought in by the commands that are told, and then judged."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image
from tests.policy.cli.transfers import run, signed_in
from tests.policy.live import LiveGateway, live_gateway

IMAGE = "mcr.microsoft.com/azureml/o16n-sample-user-base/ubuntu-miniconda"
DOCUMENT = {
    "entryScript": "score.py",
    "runtime": "python",
    "condaFile": "infenv.yml",
    "extraDockerfileSteps": None,
    "sourceDirectory": None,
    "enableGpu": False,
    "baseImage": IMAGE,
    "baseImageRegistry": "mcr.microsoft.com",
}


def deploy(gateway: LiveGateway) -> dict[str, Any]:
    """Ask for the document's deployment."""
    asked = {"name": "myservice", "models": ["mymodel:1"], "inferenceConfig": json.dumps(DOCUMENT)}
    target = {"deploymentConfig": {"computeType": "aks"}, "computeTarget": "akscomputetarget"}
    with gateway.client("admin") as client:
        answer: dict[str, Any] = client.post("/policy/v1/deployments", json={**asked, **target}).json()
    return answer


def by_copy(live: LiveGateway, folder: Path, told: str) -> str:
    """The first command, with the source that stands for the internet."""
    live.push(folder / "image", "stand/in:latest", cleared_image())
    (line,) = re.findall(r"basegate copy \S+ [^\s,]+", told)
    return str(line).replace(f" {IMAGE}:latest ", f" {live.host}/stand/in:latest ")


def by_import(_: LiveGateway, folder: Path, told: str) -> str:
    """The second one, with a file of `docker save`."""
    layout = Layout(folder / "layout")
    layout.add("it", cleared_image())
    layout.write_docker_archive("it", folder / "base.tar", f"{IMAGE}:latest")
    (line,) = re.findall(r"basegate import FILE \S+", told)
    return str(line).replace("FILE", str(folder / "base.tar"))


@pytest.mark.parametrize("way", [by_copy, by_import])
def test_the_copy_that_is_told_of(tmp_path: Path, way: Callable[[LiveGateway, Path, str], str]) -> None:
    """Nobody could tell before it was made; then the deployment is recorded."""
    with live_gateway(tmp_path / "data") as live:
        line = way(live, tmp_path, " ".join(item["message"] for item in deploy(live)["findings"]))
        done = run(*line.split()[1:], **signed_in(live, "admin"), HOME=str(tmp_path))
        assert done.exit_code == 0, done.output
        found = deploy(live)
    assert (found["allowed"], found["registryKind"], found["deployment"]["image"]) == (True, "public", IMAGE)
    assert found["pinned"] == f"{IMAGE}@{found['digest']}"
