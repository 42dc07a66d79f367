"""The command line as a whole."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from policy.cli.main import COMMANDS, basegate
from policy.cli.summaries import SUMMARIES


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


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    """Its sentence stands in a table, so that the list imports no command."""
    command = basegate.get_command(click.Context(basegate), name)
    assert command is not None
    assert SUMMARIES[name] == command.get_short_help_str(limit=200)


@pytest.mark.parametrize("asked", [["--help"], ["completion", "bash"]], ids=" ".join)
def test_a_list_of_commands_imports_none(asked: list[str]) -> None:
    """A key in a shell waits for it."""
    program = f"""
import sys
from policy.cli.main import basegate
context = basegate.make_context("basegate", [], resilient_parsing=True)
assert len(basegate.shell_complete(context, "")) > 30
try:
    basegate.main({asked!r}, standalone_mode=False)
finally:
    print([module for module in ("policy.cli.check", "httpx", "pydantic") if module in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.endswith("[]\n"), done.stderr


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
