"""A registry killed at any step of its pushes: acknowledged content is there, nothing half-written is visible."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from registry.metadata.manifests import content
from registry.oci.names import Tag
from tests.crash.aftermath import acknowledgements, damaged, dangling, lost
from tests.crash.dying_pusher import ACKNOWLEDGED
from tests.registry.open_services import REPOSITORY, OpenServices, image, open_services

STRIDE = 13


@pytest.mark.parametrize("first", [1, 5, 9])
def test_a_kill_at_any_step_loses_nothing(tmp_path: Path, first: int) -> None:
    """One child for each step; afterwards every folder holds what was acknowledged, and takes pushes again."""
    command = [sys.executable, "-m", "tests.crash.dying_pusher", str(tmp_path), str(first), str(STRIDE)]
    subprocess.run(command, check=True, timeout=240)
    folders = sorted(tmp_path.iterdir(), key=lambda path: int(path.name))
    assert len(acknowledgements(folders[-1] / ACKNOWLEDGED)) == 20
    findings = {folder.name: findings_in(folder) for folder in folders}
    assert {name: found for name, found in findings.items() if found} == {}


def findings_in(folder: Path) -> list[str]:
    """Whatever is wrong with a folder."""
    with open_services(folder / "data") as services:
        found = lost(services, acknowledgements(folder / ACKNOWLEDGED))
        found += [f"damaged: {path}" for path in damaged(services.data)]
        found += [f"dangling: {digest}" for digest in dangling(services)]
        return found + goes_on(services)


def goes_on(services: OpenServices) -> list[str]:
    """Whether the folder can be used: pushed to, and cleaned of what the crash has left."""
    services.run(services.push_image(Tag("after")))
    manifest = services.run(
        services.metadata.read(content, REPOSITORY, services.run(services.push_manifest(image())).digest)
    )
    services.run(services.uploads.expire(time.time() + 10**9))
    left = [str(path) for passage in ("uploads", "incoming") for path in (services.data / passage).iterdir()]
    return left + ([] if manifest == image() else ["cannot push"])


def test_the_killer_kills(tmp_path: Path) -> None:
    """The first child dies at its first step, before anything is acknowledged: the wrappers are in force."""
    code = (
        f"from pathlib import Path; from tests.crash.dying_pusher import child; child(Path({str(tmp_path / 'c')!r}), 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert acknowledgements(tmp_path / "c" / ACKNOWLEDGED) == []
