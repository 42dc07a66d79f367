"""docs/verdicts.md: it begins with what matters most, and its commands do what it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.clients.trees import cleared_image
from tests.policy.attestation.page import commands, type_in
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server with the image of the page."""
    folder = tmp_path_factory.mktemp("page")
    with live_gateway(folder / "data") as gateway:
        gateway.push(folder / "good", "team/good:v1", cleared_image())
        yield gateway


def test_it_begins_with_the_warning() -> None:
    """Without a policy cosign accepts FAILED too."""
    page = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    assert page.startswith("# Signed verdicts\n\n**Ask for PASSED.**")
    assert "without `--policy`\ncosign accepts a refused image too" in page
    assert all("--policy" in line for line in commands("cosign"))


def test_every_command_ends_well(live: LiveGateway, tmp_path: Path) -> None:
    """Those of basegate and curl, in the order of the page; cosign's run in `make test-cosign`."""
    typed = [line for program in ("curl", "basegate") for line in commands(program)]
    ended = {line: type_in(tmp_path, live, line, {}) for line in typed if "rotate" not in line}
    assert {line: done.stderr for line, done in ended.items() if done.returncode} == {}
    assert len(ended) == 6
    assert "holds: " in ended[commands("basegate")[-1]].stdout


def test_rotation_ends_well(live: LiveGateway, tmp_path: Path) -> None:
    """It prints the new key."""
    (rotate,) = (line for line in commands("basegate") if "rotate" in line)
    assert type_in(tmp_path, live, rotate, {}).stdout.startswith("-----BEGIN PUBLIC KEY-----")
