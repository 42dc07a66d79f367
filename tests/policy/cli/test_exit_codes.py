"""Exit codes mean what they say: whatever goes wrong, 1 is the answer "no" and nothing else."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from policy.cli.lazy_group import Commands
from policy.cli.main import COMMANDS, basegate
from policy.gateway.check_result import CheckResult
from registry.errors import BasegateError
from tests.installation import COMMAND
from tests.policy.client.playback import Playback, playing
from tests.waiting import wait_until

ASKING = [("check",), ("check", "--json"), ("explain",), ("explain", "--json")]


@pytest.fixture(name="server", params=[True, False], ids=["allowed", "denied"])
def _server(request: pytest.FixtureRequest) -> Iterator[Playback]:
    """A gateway that always says the same."""
    verdict = "cleared" if request.param else "refused"
    with playing() as running:
        answer = CheckResult(allowed=request.param, verdict=verdict, reference="h:1/a:v1", digest="sha256:" + "a" * 64)
        running.body = answer.document() | {"image": {"facts": [], "absent": {}}, "children": []}
        yield running


def run(home: Path, *arguments: str, to: int, errors: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run the program with its standard output at a file descriptor."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONUNBUFFERED": ""}
    command = (*COMMAND, *arguments)
    return subprocess.run(command, env=environment, stdout=to, stderr=errors, text=True, timeout=60, check=False)


@pytest.fixture(name="full")
def _full() -> Iterator[int]:
    """A device that takes nothing."""
    with Path("/dev/full").open("wb") as device:
        yield device.fileno()


@pytest.fixture(name="unread")
def _unread() -> Iterator[int]:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("asking", ASKING)
def test_full_device(server: Playback, tmp_path: Path, full: int, asking: tuple[str, ...]) -> None:
    """An answer that could not be written was not given."""
    done = run(tmp_path, *asking, f"{server.host}/a:v1", to=full)
    assert (done.returncode, done.stderr) == (2, "basegate: could not go on: No space left on device\n")


@pytest.mark.parametrize("asking", ASKING)
def test_unread_pipe(server: Playback, tmp_path: Path, unread: int, asking: tuple[str, ...]) -> None:
    """Nor was one that nobody read."""
    done = run(tmp_path, *asking, f"{server.host}/a:v1", to=unread)
    assert (done.returncode, done.stderr) == (2, "basegate: nobody reads what was to be said (broken pipe)\n")


def test_nobody_reads_anything(server: Playback, tmp_path: Path, unread: int) -> None:
    """With standard error gone too, the exit code is all there is."""
    assert run(tmp_path, "explain", f"{server.host}/a:v1", to=unread, errors=unread).returncode == 2


@pytest.mark.parametrize("asked", [("--help",), ("check", "--help"), ("--version",), ("config", "example")])
def test_help_that_cannot_be_written(tmp_path: Path, full: int, unread: int, asked: tuple[str, ...]) -> None:
    """What other commands print counts as well."""
    assert [run(tmp_path, *asked, to=to).returncode for to in (full, unread)] == [2, 2]


def is_interrupted(asking: "subprocess.Popen[bytes]") -> bool:
    """Ctrl-C once more: Python may not hear one that comes just before it begins to wait for an answer."""
    asking.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        asking.wait(timeout=5)
    return asking.returncode is not None


@pytest.mark.parametrize("command", ["check", "explain"])
def test_interruption(tmp_path: Path, command: str) -> None:
    """Ctrl-C while the gateway thinks."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        image = f"127.0.0.1:{silent.getsockname()[1]}/a:v1"
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        # Whoever started the tests in the background may have them ignore Ctrl-C, and what they start with them.
        words = ("env", "--default-signal=INT", *COMMAND, command, image)
        with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE) as asking:
            line, _ = silent.accept()
            line.recv(1)
            wait_until(lambda: is_interrupted(asking))
            said = asking.communicate()[1]
            line.close()
    assert (asking.returncode, said.split()[-2:]) == (130, [b"basegate:", b"interrupted"])


@pytest.mark.parametrize("command", ["check", "explain"])
def test_crash(tmp_path: Path, command: str) -> None:
    """Something nobody has thought of (here an answer nested too deep to be read): one line, and where it was."""
    with playing() as server:
        server.body = b"[" * 200_000
        result = CliRunner().invoke(basegate, [command, f"{server.host}/a:v1"], env={"HOME": str(tmp_path)})
    assert (result.exit_code, result.stderr.count("\n"), "RecursionError in" in result.stderr) == (2, 1, True)


@pytest.mark.parametrize("text", ["listen: [", "no_such_key: 1", None])
def test_broken_settings_are_no_wrong_evidence(tmp_path: Path, text: str | None) -> None:
    """`verify-evidence` says 1 of evidence only."""
    file = tmp_path / "basegate.yaml"
    if text is not None:
        file.write_text(text)
    arguments = ["verify-evidence", "a:v1", "--config", str(file), "--data", str(tmp_path)]
    assert CliRunner().invoke(basegate, arguments).exit_code == 2


@pytest.mark.parametrize(
    "command", [("repo", "ls"), ("verify-evidence", "a:v1"), ("inspect", "a:v1"), ("principal", "list")]
)
def test_folder_that_is_none(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A refusal is 2 in every command."""
    result = CliRunner().invoke(basegate, [*command, "--data", str(tmp_path / "typo")])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_usage(name: str) -> None:
    """An option that nobody knows."""
    assert CliRunner().invoke(basegate, [name, "--nobody-knows"]).exit_code == 2


def test_errors_that_lead_back_to_themselves() -> None:
    """What was raised again in another's handler ends like anything else."""
    result = CliRunner().invoke(Commands({"raising": f"{__name__}:raising"}, {}, name="basegate"), ["raising"])
    assert (result.exit_code, result.stderr) == (2, "basegate: first\n")


@click.command()
def raising() -> None:
    """A command that fails twice over."""
    first, second = BasegateError("first"), BasegateError("second")
    first.__context__, second.__context__ = second, first
    raise first
