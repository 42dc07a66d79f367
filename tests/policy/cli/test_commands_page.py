"""Every command of docs/commands.md, over a server and its data folder: each ends with 0."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from registry.oci.digest import Digest
from tests.architecture.source import ROOT
from tests.clients.trees import cleared_image, refused_image
from tests.policy.cli.transfers import signed_in
from tests.policy.live import LiveGateway, live_gateway

_LINE = re.compile(r"^ {4}basegate (.+?)(?: {3,}.*)?$", re.MULTILINE)
_PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
_COMMANDS = list(dict.fromkeys(_LINE.findall(_PAGE)))


@pytest.fixture(name="live")
def _live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveGateway]:
    """A server with an image, and its data folder as `data` below the working folder."""
    monkeypatch.chdir(tmp_path)
    rules = {"rules": [{"keep": [{"newest": 1}], "else": "delete"}]}
    with live_gateway(tmp_path / "data", gc={"grace_seconds": 0}, retention=rules) as live:
        live.push(tmp_path / "v0", "team/app:v1", refused_image())
        live.push(tmp_path / "v1", "team/app:v1", cleared_image())
        yield live


def _do_before(live: LiveGateway, command: str) -> None:
    """What comes before a command on the page, where it needs that."""
    name = " ".join(command.split()[:2])
    if name == "policy deactivate":
        words = ["policy", "activate", live.host, "azureml-2020-11", "--repositories", "team/*"]
        _run(live, *words)
    if name == "gc undo":
        _run(live, "manifest", "rm", f"{live.host}/team/app:v1", "--yes")
        _run(live, "gc", "run", live.host)


def _run(live: LiveGateway, *words: str) -> None:
    ended = CliRunner().invoke(basegate, words, env=signed_in(live, "admin"))
    assert ended.exit_code == 0, (words, ended.output)


def _removal(live: LiveGateway) -> str:
    """The name of a run that has removed a tag."""
    with live.client("admin") as client:
        client.delete("/admin/v1/repositories/team/app/_tags/v1").raise_for_status()
        return str(client.get("/admin/v1/trash").json()["runs"][0]["name"])


def _exemption(live: LiveGateway) -> str:
    """The id of a new one."""
    body = {"repositories": "*", "rule": "*", "owner": "ann", "reason": "moves", "until": "2999-01-01"}
    with live.client("admin") as client:
        return str(client.post("/admin/v1/exemptions", json=body).json()["id"])


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_command(live: LiveGateway, tmp_path: Path, command: str) -> None:
    """As it stands on the page, with the server's address in the place of the page's."""
    words = shlex.split(command.replace("HOST:PORT", live.host).replace("sha256:…", Digest.of(b"layer")))
    environment = {"DOCKER_CONFIG": str(tmp_path), "HOME": str(tmp_path)}
    environment |= {} if "--username" in words else signed_in(live, "admin")
    _do_before(live, command)
    if "EXEMPTION" in words:
        words[words.index("EXEMPTION")] = _exemption(live)
    if "RUN" in words:
        words[words.index("RUN")] = _removal(live)
    told = CliRunner(env=environment).invoke(basegate, words, input=live.secrets["admin"] + "\n")
    assert told.exit_code == 0, (words, told.output)


def asking(command: click.Command, name: str = "") -> Iterator[str]:
    """The commands that can be told not to ask."""
    if any(each.name == "yes" for each in command.params):
        yield name
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            assert below is not None
            yield from asking(below, f"{name} {word}".strip())


def test_the_commands_that_ask() -> None:
    """Are those that the page names, and no others."""
    (row,) = re.findall(r"^\| confirmation \| (.+?) ask on", _PAGE, re.MULTILINE)
    assert sorted(re.findall(r"`(.+?)`", row)) == sorted(asking(basegate))
