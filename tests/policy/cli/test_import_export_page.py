"""Every command of docs/import-export.md, typed in a shell as it stands there: each ends with 0."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import draft
from tests.architecture.source import ROOT
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image
from tests.policy.cli.transfers import empty_registry
from tests.policy.live import live_gateway
from tests.registry.auth.people import enrol

_PAGE = (ROOT / "docs" / "import-export.md").read_text(encoding="utf-8")
_COMMANDS = list(dict.fromkeys(re.findall(r"^ {4}(basegate .+)$", _PAGE, re.MULTILINE)))
_SERVER = "127.0.0.1:5000"


@dataclass(frozen=True, slots=True)
class Shell:
    """A folder with the files that the page speaks of, beside a server."""

    folder: Path
    host: str

    def type(self, command: str) -> "subprocess.CompletedProcess[str]":
        """One line, with the server's address in the place of the page's."""
        program = f'basegate() {{ "{sys.executable}" -m policy "$@"; }}; {command.replace(_SERVER, self.host)}'
        environment = {**os.environ, "DOCKER_CONFIG": str(self.folder / "docker"), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            ["bash", "-c", program], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(name="shell", scope="module")
def _shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("page")
    layout, index = Layout(folder / "layout"), Layout(folder / "index")
    layout.add("v1", cleared_image())
    layout.write_docker_archive("v1", folder / "base.tar", "base:v1")
    index.add_index("multi", [cleared_image(), cleared_image(architecture="arm64")])
    index.archive("multi", folder, "it")
    (folder / "multi.tar").rename(folder / "index.tar")
    subprocess.run(["gzip", "-k", "base.tar"], cwd=folder, check=True)
    empty_registry(folder / "data")
    enrol(folder / "data", draft("admin", Role.OWNER))
    with live_gateway(folder / "server") as live:
        (folder / "secret").write_text(live.secrets["admin"])
        yield Shell(folder, live.host)


@pytest.fixture(name="typed", scope="module")
def _typed(shell: Shell) -> dict[str, "subprocess.CompletedProcess[str]"]:
    """How each command ended; they are typed in the order of the page."""
    return {command: shell.type(command) for command in _COMMANDS}


@pytest.mark.parametrize("command", _COMMANDS)
def test_the_command_ends_well(typed: dict[str, "subprocess.CompletedProcess[str]"], command: str) -> None:
    """As a person would expect of it."""
    assert typed[command].returncode == 0, typed[command].stderr


def test_an_import_ends_with_the_line_of_the_page(typed: dict[str, "subprocess.CompletedProcess[str]"]) -> None:
    """Except for the digest."""
    said = re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", typed[_COMMANDS[0]].stdout)
    assert f"    {said}" in _PAGE
