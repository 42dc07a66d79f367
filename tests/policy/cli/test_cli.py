"""The command line as a whole."""

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
