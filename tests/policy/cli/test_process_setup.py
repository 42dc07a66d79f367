"""What `basegate serve` does before it serves: how it ends when it is told to at once, and what it does not import."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Ignores signals to end as the first process of a container does, and sends itself one when a large import begins.
_TOLD_AT_ONCE = """
import os, runpy, signal, sys
number = signal.Signals[sys.argv.pop(1)]

class Told:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), number)
            os._exit(3)

signal.signal(number, signal.SIG_DFL if number == signal.SIGHUP else signal.SIG_IGN)
sys.meta_path.insert(0, Told())
runpy.run_module("policy", run_name="__main__", alter_sys=True)
"""


def told_at_once(number: signal.Signals, *arguments: str) -> int:
    """The exit code of a command that gets a signal during its imports; 3 when it does not care."""
    command = [sys.executable, "-c", _TOLD_AT_ONCE, number.name, *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_at_once_to_stop(number: signal.Signals, tmp_path: Path) -> None:
    """It ends with exit code 0 although it has not finished importing, and leaves nothing behind."""
    assert told_at_once(number, "serve", "--data", str(tmp_path / "data")) == 0
    assert not (tmp_path / "data").exists()


def test_a_server_that_is_told_at_once_to_reload(tmp_path: Path) -> None:
    """It goes on: it will read its settings in any case."""
    assert told_at_once(signal.SIGHUP, "serve", "--data", str(tmp_path / "data")) == 3


def test_other_commands_keep_their_signals(tmp_path: Path) -> None:
    """What is not a server is not ended by the server's handler."""
    assert told_at_once(signal.SIGTERM, "principal", "list", "--data", str(tmp_path)) == 3
