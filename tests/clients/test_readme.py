"""The README's commands and those that the first start prints, run as written, with a real docker engine."""

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.program import Outcome, Program
from tests.clients.roster import Daemons
from tests.clients.stand_in import ubuntu_root
from tests.installation import Installation

ROOT = Path(__file__).parents[2]
ADDRESS = "127.0.0.1:5000"
ASKING = (".venv/bin/basegate check", ".venv/bin/basegate explain")

pytestmark = [
    pytest.mark.client("docker", "dockerd", "busybox"),
    pytest.mark.root,
    pytest.mark.xdist_group("docker"),
]


@dataclass(frozen=True)
class Terminal:
    """A person's terminal in a clone of the project, with a server running in another.

    Attributes:
        host: where the server is; it stands for the README's address.
        words: what `basegate serve` printed.
        shell: runs a line.
    """

    host: str
    words: str
    shell: Program

    def type(self, line: str) -> Outcome:
        """Run a line as it is written; a password that is asked for is given as a pipe would."""
        secret = re.search(rf"^ +{line.rsplit(maxsplit=1)[-1]} +\w+ +(\S+)$", self.words, re.MULTILINE)
        more = " --password-stdin" if line.startswith("docker login") else ""
        return self.shell.run(line.replace(ADDRESS, self.host) + more, text=secret[1] if secret else "")


@pytest.fixture(scope="module")
def terminal(daemons: Daemons, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A first start, an engine that knows `ubuntu:16.04`, and what the commands need of a clone."""
    clone = tmp_path_factory.mktemp("clone")
    (clone / ".venv").symlink_to(sys.prefix)
    installation = Installation(clone / "data", {})
    with installation.serve() as host:
        variables = {"DOCKER_HOST": f"unix://{daemons.socket('docker')}", "DOCKER_BUILDKIT": "0"}
        shell = Program(("sh", "-c"), clone, variables)
        shutil.copytree(ROOT / "config" / "examples", clone / "config" / "examples")
        named = clone / "config" / "examples" / "inferenceconfig.json"
        named.write_text(named.read_text().replace(ADDRESS, host))
        (clone / "ubuntu.tar").write_bytes(ubuntu_root())
        shell.run("docker import ubuntu.tar ubuntu:16.04").check()
        yield Terminal(host, installation.words("More:"), shell)


def _commands(text: str, margin: str) -> list[str]:
    return [line.removeprefix(margin) for line in text.splitlines() if re.match(rf"{margin}\S", line)]


@pytest.fixture(scope="module")
def transcript(terminal: Terminal) -> dict[str, Outcome]:
    """The commands of the README's section "Use", one after the other, and how each ended."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Use")[2].partition("\n## ")[0]
    return {line: terminal.type(line) for line in _commands(section, "    ")}


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
def test_the_commands_that_the_first_start_prints(terminal: Terminal) -> None:
    """Sign in, build, push, check, explain, sign in as the reader, pull: each ends well."""
    printed = terminal.words.partition("Sign in, push, check")[2]
    lines = _commands(printed, "  ")
    outcomes = [terminal.shell.run(line) for line in lines]
    assert len(lines) == 7
    assert [outcome.output for outcome in outcomes if not outcome.ok] == []
