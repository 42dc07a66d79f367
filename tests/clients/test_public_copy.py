"""The document's own file: its public image is brought in by the command that is told, with skopeo, and then judged."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.clients.program import Program
from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway, live_gateway

pytestmark = [pytest.mark.client("skopeo")]

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


def test_the_copy_that_is_told_of(tmp_path: Path) -> None:
    """Nobody could tell before it was made; then the deployment is recorded. Only the source is another here."""
    with live_gateway(tmp_path / "data") as live:
        live.push(tmp_path / "image", "stand/in:latest", cleared_image())
        told = " ".join(item["message"] for item in deploy(live)["findings"])
        command = re.search(r"skopeo copy .* docker://\S+ docker://\S+", told)
        assert command is not None
        login = f"admin:{live.secrets['admin']}"
        line = command[0].replace(f"docker://{IMAGE}:latest ", f"docker://{live.host}/stand/in:latest ", 1)
        line += f" --dest-creds {login} --src-creds {login} --src-tls-verify=false"
        Program(("sh", "-c"), tmp_path).run(line).check()
        found = deploy(live)
    assert (found["allowed"], found["registryKind"], found["deployment"]["image"]) == (True, "public", IMAGE)
    assert found["pinned"] == f"{IMAGE}@{found['digest']}"
