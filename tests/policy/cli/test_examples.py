"""Help, examples, suggestions, completion and colours of the command line."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import click
import pytest
import yaml
from click.testing import CliRunner

from policy.cli.examples import EXAMPLES
from policy.cli.main import basegate
from policy.testing.registry import TemporaryRegistry
from tests.architecture.source import ROOT
from tests.policy.cli.transfers import signed_in_as

_COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|4[0-7])m")


def walked(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that is no group, with its words."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from walked(found, (*path, name))
    else:
        yield " ".join(path), command


COMMANDS = dict(walked(basegate))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_ends_with_an_example(name: str) -> None:
    """With the words that the person has typed."""
    told = CliRunner().invoke(basegate, [*name.split(), "--help"])
    assert (told.exit_code, "\n  Example" in told.stdout) == (0, True)
    assert told.stdout.rstrip().splitlines()[-1].strip().startswith(f"basegate {name}")


@pytest.mark.parametrize(("name", "example"), [(name, each) for name in EXAMPLES for each in EXAMPLES[name]])
def test_examples_are_understood(name: str, example: str) -> None:
    """Every option is known, every argument that is needed is there, and none that is not."""
    command = COMMANDS[name]
    words = shlex.split(re.sub(r" ?[<>] .*", "", example))
    parsed, left, _ = command.make_parser(click.Context(command)).parse_args(words)
    absent = [item.name for item in command.params if item.required and not parsed.get(str(item.name))]
    assert (absent, left) == ([], [])


@pytest.mark.parametrize(
    ("typed", "meant"), [("chek", "check"), ("polcy", "policy"), ("tag sow", "show"), ("verdict ky", "key")]
)
def test_a_mistyped_command(typed: str, meant: str) -> None:
    """What is alike is named, in groups as well."""
    told = CliRunner().invoke(basegate, typed.split())
    assert (told.exit_code, f"Did you mean '{meant}'?" in told.stderr) == (2, True)


def test_the_version() -> None:
    """For people and for programs."""
    told = CliRunner().invoke(basegate, ["version"])
    found = json.loads(CliRunner().invoke(basegate, ["version", "--json"]).stdout)
    assert told.stdout.splitlines()[0].split() == ["basegate", found["basegate"]]


@pytest.mark.parametrize(
    "name", [name for name, command in COMMANDS.items() if any("--json" in item.opts for item in command.params)]
)
def test_whatever_prints_json_prints_yaml(name: str) -> None:
    """One option for every command."""
    assert "--output [table|json|yaml]" in CliRunner().invoke(basegate, [*name.split(), "--help"]).stdout


def test_yaml_is_the_same_document() -> None:
    """As JSON."""
    told = [CliRunner().invoke(basegate, ["version", *form.split()]) for form in ("--json", "--output yaml")]
    assert json.loads(told[0].stdout) == yaml.safe_load(told[1].stdout)
    assert CliRunner().invoke(basegate, ["version", "--json", "-o", "yaml"]).exit_code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_reads(shell: str) -> None:
    """The lines name the program."""
    told = CliRunner().invoke(basegate, ["completion", shell])
    assert (told.exit_code, "_BASEGATE_COMPLETE" in told.stdout) == (0, True)


def test_bash_completes_commands() -> None:
    """By what `basegate completion bash` prints."""
    program = f'basegate() {{ "{sys.executable}" -m policy "$@"; }}; export -f basegate'
    lines = CliRunner().invoke(basegate, ["completion", "bash"]).stdout.replace("$1)", f'"{sys.executable}" -m policy)')
    asked = "COMP_WORDS=(basegate verd); COMP_CWORD=1; _basegate_completion basegate; echo ${COMPREPLY[*]}"
    done = subprocess.run(
        ["bash", "-c", f"{program}\n{lines}\n{asked}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["verdict"], done


def on_terminal(*words: str, **environment: str) -> bytes:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "policy", *words]
    variables = {**os.environ, "TERM": "xterm-256color", **environment}
    with subprocess.Popen(command, cwd=ROOT, stdout=theirs, stderr=theirs, env=variables):
        os.close(theirs)
        told = b""
        with suppress(OSError):  # the other end is closed
            while piece := os.read(ours, 65536):
                told += piece
    os.close(ours)
    return told


def test_no_color(basegate_registry: TemporaryRegistry) -> None:
    """On a terminal `explain` is coloured, and with NO_COLOR it is not."""
    words, login = ("explain", basegate_registry.push_image({"it": "x"}).name), signed_in_as(basegate_registry.owner)
    plain = on_terminal(*words, NO_COLOR="1", **login)
    coloured = on_terminal(*words, NO_COLOR="", **login)
    assert (bool(_COLOUR.search(coloured)), bool(_COLOUR.search(plain))) == (True, False), plain
