"""The transcript of docs/deployments.md, typed as written: from a first start to a receipt that holds."""

import pytest

from tests.clients.first_start import ROOT, Terminal, commands
from tests.clients.program import Outcome

pytestmark = [
    pytest.mark.client("docker", "dockerd", "busybox"),
    pytest.mark.root,
    pytest.mark.xdist_group("docker"),
]


@pytest.fixture(scope="module")
def transcript(terminal: Terminal) -> list[Outcome]:
    """How each command ended."""
    page = (ROOT / "docs" / "deployments.md").read_text(encoding="utf-8")
    section = page.partition("## From nothing")[2].partition("The workspace has no registry")[0]
    return [terminal.type(line) for line in commands(section, "    ")]


def test_every_command_ends_well(transcript: list[Outcome]) -> None:
    """Each of them."""
    assert len(transcript) == 11
    assert [outcome for outcome in transcript if not outcome.ok] == []


def test_what_they_say(transcript: list[Outcome]) -> None:
    """No registry before the deployment and one after it, the image pinned, the receipt good."""
    said = [outcome.output for outcome in transcript]
    before, checked, after = said[4:7]
    assert (before, after.rpartition("/")[2]) == ("null\n", 'basegate"\n')
    assert checked.startswith("allowed: ")
    assert "/team/good@sha256:" in checked
    assert said[9].startswith("holds: myservice may start from ")
