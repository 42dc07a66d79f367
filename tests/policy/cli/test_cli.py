"""The command line as a whole."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from policy.cli.main import COMMANDS, basegate


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    """Each command of the table is there, and has a help text."""
    result = CliRunner().invoke(basegate, [name, "--help"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: basegate {name}")


def test_the_list_has_a_line_for_each() -> None:
    """`basegate --help` names them all."""
    listed = CliRunner().invoke(basegate, ["--help"]).stdout
    assert all(f"\n  {name} " in listed for name in COMMANDS)


def test_an_unknown_command() -> None:
    """Wrong usage is exit code 2."""
    assert CliRunner().invoke(basegate, ["sreve"]).exit_code == 2


def test_the_version() -> None:
    """It is that of the distribution."""
    assert CliRunner().invoke(basegate, ["--version"]).stdout.startswith("basegate 0.")


@pytest.mark.parametrize("name", ["version", "login", "check", "explain", "watch", "import", "export", "copy"])
def test_a_command_that_asks_a_server_imports_no_database(name: str) -> None:
    """Nor a policy: each command is a process, and waits for all that it imports."""
    program = f"""
import sys
from policy.cli.main import basegate
basegate.get_command(None, {name!r})
print([module for module in ("sqlalchemy", "policy.definition.policy", "cryptography") if module in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
