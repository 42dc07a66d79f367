"""The README's commands and those that the first start prints, run as written, with a real docker engine."""

import pytest

from tests.clients.first_start import ROOT, Terminal, commands
from tests.clients.program import Outcome

ASKING = (".venv/bin/basegate check", ".venv/bin/basegate explain")

pytestmark = [
    pytest.mark.client("docker", "dockerd", "busybox"),
    pytest.mark.root,
    pytest.mark.xdist_group("docker"),
]


@pytest.fixture(scope="module")
def transcript(terminal: Terminal) -> dict[str, Outcome]:
    """The commands of the README's section "Use", one after the other, and how each ended."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Use")[2].partition("\n## ")[0]
    return {line: terminal.type(line) for line in commands(section, "    ")}


def test_the_commands_of_the_readme(transcript: dict[str, Outcome]) -> None:
    """What fits is allowed and pulled, what does not is denied and refused; everything else succeeds."""
    assert len(transcript) > 10
    denied = [f"{command} 127.0.0.1:5000/team/bad:v1" for command in (*ASKING, "docker pull")]
    ended = {line: (outcome.code, outcome.output) for line, outcome in transcript.items() if outcome.code}
    assert {line: code for line, (code, _) in ended.items()} == dict.fromkeys(denied, 1), ended


def test_docker_shows_why_a_pull_is_refused(transcript: dict[str, Outcome]) -> None:
    """The text names what was found where, and what is needed."""
    said = transcript["docker pull 127.0.0.1:5000/team/bad:v1"].output
    found = "Python 3.7.1 found at opt/miniconda/conda-meta/python-3.7.1-h0371630_7.json"
    assert f"team/bad:v1 is not cleared by policy azureml-2019-07: {found}" in said
    assert "needs 3.5.x or 3.6.x" in said


@pytest.mark.usefixtures("transcript")
def test_the_first_steps_with_docker(terminal: Terminal) -> None:
    """Those of docs/first-steps.md: the example is built without a network, and only the last pull is refused."""
    page = (ROOT / "docs" / "first-steps.md").read_text(encoding="utf-8")
    section = page.partition("## With docker")[2].partition("\n## ")[0]
    outcomes = [terminal.type(line) for line in commands(section, "    ")]
    assert [outcome.ok for outcome in outcomes] == [True] * 7 + [False], outcomes
    assert "team/bad:v2 is not cleared by policy azureml-2019-07: Python 3.7.1 found" in outcomes[-1].output


@pytest.mark.usefixtures("transcript")
def test_the_commands_that_the_first_start_prints(terminal: Terminal) -> None:
    """Sign in, build, push, check, explain, sign in as the reader, pull: each ends well."""
    printed = terminal.words.partition("Sign in, push, check")[2]
    lines = commands(printed, "  ")
    outcomes = [terminal.shell.run(line) for line in lines]
    assert len(lines) == 7
    assert [outcome.output for outcome in outcomes if not outcome.ok] == []
