"""config/systemd/basegate.service: systemd understands it, finds it closed, and its command is one of ours."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from policy.cli.main import basegate
from registry.config.server import ServerSettings
from tests.architecture.source import ROOT

UNIT = ROOT / "config" / "systemd" / "basegate.service"
MOST_EXPOSED = 2.0
"""Of 10; systemd calls up to 2 "OK", which its own services reach."""


def value(key: str) -> str:
    """What the unit sets a key to; the last counts."""
    return str(re.findall(rf"^{key}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)[-1])


def analysed(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `systemd-analyze`; both streams are one text."""
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.mark.client("systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """No key is unknown and no value wrong; its program is in the place of /opt/basegate."""
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/basegate", str(ROOT)), encoding="utf-8")
    done = analysed("verify", "--man=no", str(here))
    assert (done.returncode, done.stdout) == (0, "")
    here.write_text(
        here.read_text(encoding="utf-8").replace("ProtectHome=yes", "ProtectHome=perhaps"), encoding="utf-8"
    )
    assert "Failed to parse" in analysed("verify", "--man=no", str(here)).stdout


@pytest.mark.client("systemd-analyze")
def test_the_service_is_closed() -> None:
    """By systemd's own count of what a service could reach."""
    done = analysed("security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", str(UNIT))
    assert done.returncode == 0, done.stdout


def test_the_command_is_ours() -> None:
    """Its flags are those of `serve`."""
    _program, name, *flags = shlex.split(value("ExecStart"))
    command = basegate.get_command(click.Context(basegate), name)
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert {flag for flag in flags if flag.startswith("--")} <= known


def test_systemd_waits_longer_than_the_server() -> None:
    """Else it would kill what an upload is waited for."""
    assert int(value("TimeoutStopSec")) > ServerSettings().shutdown_seconds
