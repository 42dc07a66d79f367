"""What people are told is in their words: no class of Python, no form of an exception, no number of an errno."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel

from policy.cli.main import COMMANDS, basegate
from policy.settings import Settings
from registry.config.sources import SettingsError, load

WORDS = re.compile(
    r"NoneType|\bNone\b|\berrno\b|Errno|Traceback|<class|object at 0x|\bdict\b|\btuple\b|\bbool\b|\bint\b|\bstr\b"
    r"|[A-Z][A-Za-z]+(?:Error|Exception)\b|ValidationError|pydantic|\bisinstance\b|__\w+__|could not go on \("
)
"""Words of Python. `fault` lines (`could not go on (…)`) are for what nobody foresaw: none of these inputs."""
WRONG: tuple[Any, ...] = (
    None,
    -1,
    10**30,
    1.5,
    True,
    "",
    "x y",
    "-",
    [],
    [1],
    [None],
    {"a": 1},
    [{"a": 1}],
    "\x00",
    [[]],
)


def settings() -> Iterator[str]:
    """The dotted name of every setting that is no group."""
    todo: list[tuple[str, type[BaseModel]]] = [("", Settings)]
    while todo:
        prefix, kind = todo.pop()
        for name, field in kind.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                todo.append((f"{prefix}{name}.", field.annotation))
            else:
                yield f"{prefix}{name}"


def refusal(name: str, value: object) -> str:
    """What is said of a value of a setting; "" when it is taken."""
    try:
        load(Settings, None, {name: value} if value is not None else {}, {})
    except SettingsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", sorted(settings()))
def test_a_wrong_setting_is_refused_in_plain_words(name: str) -> None:
    """Whatever it is given: the message has the name, and no word of Python that the value did not bring."""
    for value in WRONG:
        said = refusal(name, value)
        assert not said or name.partition(".")[0] in said
        assert WORDS.findall(said.replace(str(value), "")) == [], f"{name}: {value!r}: {said}"


def commands() -> Iterator[tuple[str, ...]]:
    """The words of every command."""
    context = click.Context(basegate)
    for name in COMMANDS:
        command = basegate.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((name, each) for each in command.commands)
        else:
            yield (name,)


ARGUMENTS = (
    ("--data", "/proc/nowhere"),
    ("--data", "/dev/null"),
    ("a b", "c d", "--data", "/nowhere"),
    ("127.0.0.1:1/team/app:v1",),
    ("127.0.0.1:1/team/app:v1", "x", "--timeout", "1"),
    ("/nowhere.tar", "team/app"),
    ("x", "--config", "/nowhere.yaml"),
)


@pytest.mark.parametrize("words", [words for words in commands() if words[0] not in {"serve", "completion", "version"}])
def test_a_command_that_fails_says_so_in_plain_words(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With folders, names and addresses that are not there."""
    monkeypatch.chdir(tmp_path)
    for arguments in ARGUMENTS:
        done = CliRunner().invoke(basegate, [*words, *arguments], env={"HOME": str(tmp_path)}, input="")
        assert WORDS.findall(done.stderr) == [], f"{' '.join([*words, *arguments])}: {done.stderr}"


def test_a_broken_settings_file(tmp_path: Path) -> None:
    """Of a shape that no setting has."""
    documents: tuple[Any, ...] = ([], "text", 5, {"listen": {"a": 1}}, {1: 2}, {"gc": []}, {"auth": None})
    for document in documents:
        (tmp_path / "basegate.yaml").write_text(yaml.safe_dump(document))
        done = CliRunner().invoke(basegate, ["config", "check", str(tmp_path / "basegate.yaml")])
        assert WORDS.findall(done.stderr) == [], done.stderr
