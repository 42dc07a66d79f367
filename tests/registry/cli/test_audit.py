"""`basegate audit verify`: what it tells, and how it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from tests.repository import Repository
from tests.servers import LiveRegistry


def run(data: Path, *words: str) -> Result:
    """Run a command on a data folder."""
    return CliRunner().invoke(basegate, [*words, "--data", str(data)])


@pytest.fixture(name="data")
def _data(live: LiveRegistry) -> Path:
    """Of a running registry with an image, and of two commands."""
    with live.client() as client:
        Repository(client, "team/app").image("v1")
    for name in ("ci", "cd"):
        assert run(live.data, "principal", "create", name, "--role", "AcrPush").exit_code == 0
    return live.data


def test_a_log_of_a_running_server_is_whole(data: Path) -> None:
    """It says where the chain begins, and its head."""
    result = run(data, "audit", "verify")
    assert result.exit_code == 0, result.output
    assert "the chain begins at audit.log:1 with line 1" in result.stdout
    assert "each is as it was written" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("head ")


def test_a_changed_line_is_named(data: Path) -> None:
    """Exit code 1; the place is FILE:LINE."""
    log = data / "audit" / "audit.log"
    lines = log.read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "name=ci" in line)
    log.write_text(log.read_text().replace("name=ci", "name=me"))
    result = run(data, "audit", "verify")
    assert (result.exit_code, f"audit.log:{number}: it is not the line" in result.stdout) == (1, True)
    (finding,) = json.loads(run(data, "audit", "verify", "--json").stdout)["findings"]
    assert (finding["kind"], finding["line"]) == ("changed", number)


def test_a_head_is_taken_again(data: Path) -> None:
    """As it was told; anything else is said to be none."""
    head = json.loads(run(data, "audit", "verify", "--json").stdout)["head"]
    assert run(data, "principal", "disable", "ci").exit_code == 0
    assert run(data, "audit", "verify", "--head", head).exit_code == 0
    number = head.split(":")[0]
    assert run(data, "audit", "verify", "--head", f"{number}:{'0' * 64}").exit_code == 1
    assert "NUMBER:HASH" in run(data, "audit", "verify", "--head", "first").stderr


def test_a_restored_backup_has_a_whole_log(data: Path, tmp_path: Path) -> None:
    """The chain goes on there."""
    assert run(data, "backup", str(tmp_path / "kept")).exit_code == 0
    assert run(tmp_path / "new", "restore", str(tmp_path / "kept")).exit_code == 0
    report = json.loads(run(tmp_path / "new", "audit", "verify", "--json").stdout)
    assert (report["findings"], report["lines"] > 3) == ([], True)
