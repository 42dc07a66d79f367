"""Documents are tested like code: their links, commands, settings and routes exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from policy.cli.main import basegate
from policy.settings import Settings
from tests.architecture.source import ROOT

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
_COMMAND = re.compile(r"^ {4}(?:\.venv/bin/)?basegate (.+?)(?: {3,}.*)?$", re.MULTILINE)
_FILE_ENDINGS = {"db", "json", "lock", "py", "log"}
_SETTING = re.compile(r"`([a-z_]+)\.([a-z_]+)`")
_TEST = re.compile(r"`(tests/[^`\s*]+)`")


def _each(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Document and text of every match of the first group, for parametrisation."""
    found = [
        (str(file.relative_to(ROOT)), match.group(0) if pattern is _SETTING else match.group(1))
        for file in DOCUMENTS
        for match in pattern.finditer(file.read_text(encoding="utf-8"))
    ]
    return list(dict.fromkeys(found))


def _alternatives(words: list[str]) -> Iterator[list[str]]:
    """`repo|tag ls|show` -> each of the four; a word that is bracketed is optional and left out."""
    if not words:
        yield []
        return
    for rest in _alternatives(words[1:]):
        for word in words[0].split("|") if "'" not in words[0] else [words[0]]:
            yield [word, *rest]


def _check(words: list[str]) -> None:
    """Walk down the groups, then look up every option."""
    command: click.Command = basegate
    context = click.Context(basegate)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found, f"there is no command {words[0]!r} in {command.name}"
        command, words = found, words[1:]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    options = [word.strip("[]") for word in words if word.strip("[]").startswith("--")]
    assert set(options) <= known, f"{command.name} knows {sorted(known)}"


@pytest.mark.parametrize(("document", "target"), _each(_LINK))
def test_links_lead_somewhere(document: str, target: str) -> None:
    """A link to a file of the project finds it."""
    if "://" not in target:
        assert ((ROOT / document).parent / target).exists(), f"{document} links to {target}"


@pytest.mark.parametrize(("document", "named"), _each(_TEST))
def test_tests_are_there(document: str, named: str) -> None:
    """A test that a document names as what shows something exists."""
    path, _, function = named.partition("::")
    assert (ROOT / path).exists(), f"{document} names {path}"
    if function:
        assert f"def {function}(" in (ROOT / path).read_text(encoding="utf-8"), f"{document} names {named}"


@pytest.mark.parametrize(("document", "line"), _each(_COMMAND))
def test_commands_are_there(document: str, line: str) -> None:
    """Every command line that a document shows is one that the program understands."""
    for words in _alternatives(shlex.split(line)):
        _check(words)


@pytest.mark.parametrize(("document", "text"), _each(_SETTING))
def test_settings_are_there(document: str, text: str) -> None:
    """A setting that a document names exists."""
    group, _, name = text.strip("`").partition(".")
    field = Settings.model_fields.get(group)
    kind = field.annotation if field else None
    if isinstance(kind, type) and issubclass(kind, BaseModel) and name not in _FILE_ENDINGS:
        assert name in kind.model_fields, f"{document}: there is no setting {text}"


def test_there_is_something_to_test() -> None:
    """The patterns above still find what documents hold."""
    assert len(_each(_LINK)) > 10
    assert len(_each(_COMMAND)) > 10
    assert len(_each(_SETTING)) > 5


def test_documents_are_found() -> None:
    """Every document of the project is among them."""
    assert Path("README.md") in {file.relative_to(ROOT) for file in DOCUMENTS}


def test_a_decision_has_a_number_of_its_own() -> None:
    """The same in the name of the page and in its title."""
    pages = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    titles = [page.read_text(encoding="utf-8").partition(".")[0] for page in pages]
    assert titles == [f"# {int(page.name[:4])}" for page in pages]
    assert len(set(titles)) == len(titles)


def test_a_decision_says_when_and_whether_it_stands() -> None:
    """Below the title of each page of docs/adr stands a date, and whether it was accepted or replaced."""
    decided = re.compile(r"# [0-9]+\. .+\n\n20[0-9]{2}-[0-9]{2}-[0-9]{2}, (accepted|replaced)")
    pages = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    assert len(pages) > 30
    assert [page.name for page in pages if not decided.match(page.read_text(encoding="utf-8"))] == []
