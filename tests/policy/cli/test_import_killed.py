"""An import that is killed at any moment: nothing can be seen without its verdict, and the next import goes on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from registry.oci.errors import OciError
from registry.oci.names import RepositoryName, Tag
from tests.clients.layouts import Layout
from tests.policy.cli.transfers import empty_registry, lab_images, run
from tests.policy.lab import READER, open_lab

REPOSITORY = RepositoryName("team/app")
# As many as an import of both images tells: 5 blobs of two steps, 2 manifests, 2 images.
STEPS = 14


@pytest.fixture(name="images", scope="module")
def _images(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return lab_images(tmp_path_factory.mktemp("images") / "layout")


def killed_import(layout: Path, data: str, step: int, **settings: str) -> bool:
    """Kill an import when it tells of its n-th step; whether it came so far."""
    command = [sys.executable, "-m", "policy", "import", str(layout), REPOSITORY, "--all", "--data", data, "--json"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **settings}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for number, _ in enumerate(process.stdout):
            if number == step:
                process.send_signal(signal.SIGKILL)
                return True
    return False


def open_tags(data: str) -> set[str]:
    """The tags that somebody who may only pull gets."""
    found = set()
    with open_lab(Path(data)) as lab:
        for tag in ("good", "bad"):
            try:
                lab.run(lab.manifests.pull(READER, REPOSITORY, Tag(tag)))
                found.add(tag)
            except OciError:
                continue
    return found


@pytest.mark.parametrize("least", ["1", "1048576"], ids=["uploads last", "uploads end"])
@pytest.mark.parametrize("step", range(STEPS))
def test_nothing_is_seen_without_its_verdict(images: Layout, tmp_path: Path, step: int, least: str) -> None:
    """After the kill, and after the next import, which brings everything: only what is cleared is ever open."""
    data, settings = empty_registry(tmp_path / "data"), {"BASEGATE_TRANSFER__RESUME_BYTES": least}
    killed_import(images.folder, data, step, **settings)
    assert open_tags(data) <= {"good"}
    again = run("import", str(images.folder), REPOSITORY, "--all", "--data", data, "--json", **settings)
    told = [json.loads(line) for line in again.stdout.splitlines()]
    assert [event["verdict"] for event in told if event["event"] == "image"] == ["cleared", "refused"]
    assert open_tags(data) == {"good"}
    assert run("verify", "--digests", "--data", data).exit_code == 0


def test_there_are_so_many_steps(images: Layout, tmp_path: Path) -> None:
    """The test above kills at each of them."""
    data = empty_registry(tmp_path / "data")
    assert killed_import(images.folder, data, STEPS - 1)
    assert not killed_import(images.folder, empty_registry(tmp_path / "other"), STEPS)
