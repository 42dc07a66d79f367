"""Every command that works on a data folder, with the words that it needs."""

from collections.abc import Iterator

import click

from policy.cli.main import basegate
from registry.cli.place import Words

_WORDS = {
    "image": "team/app:v1",
    "repository": "team/app",
    "name": "ci",
    "policy": "azureml-2019-07",
    "digest": "sha256:" + "0" * 64,
    "run": "run-1",
    "exemption": "abc",
    "folder": "kept",
    "source": "team/app:v1",
    "target": "team/other",
    "out": "exported.tar",
    "conditions": "os.name=ubuntu",
    "sink": "builds",
}
_OPTIONS = {
    "principal create": ["--role", "Owner"],
    "policy exempt": ["--repositories", "*", "--rule", "*", "--owner", "ann", "--reason", "r", "--until", "2999-01-01"],
    "principal delete": ["--yes"],
    "repo rm": ["--yes"],
    "trash empty": ["--yes"],
    "manifest rm": ["--yes"],
    "inspect": ["--again"],
    "gc": ["--dry-run"],
    "events replay": ["--sink", "builds", "--after", "0"],
    "events test": ["--sink", "builds"],
}
MAKERS = frozenset({"serve", "init", "restore", "tls init"})
"""These make a folder, or something in one."""
_FREE = frozenset({"policy show", "verify-receipt"})
"""These need no registry: a policy may be a file, and of a folder the second reads a key alone."""


def folder_commands() -> list[list[str]]:
    """The words of each, without `--data`."""
    return [words for name, words in _walk(basegate, []) if name not in MAKERS]


def _named(item: click.Argument) -> list[str]:
    return [word.name for word in item.wanted] if isinstance(item, Words) else [str(item.name)]


def _walk(command: click.Command, path: list[str]) -> Iterator[tuple[str, list[str]]]:
    name = " ".join(path)
    if name not in _FREE and any("--data" in item.opts for item in command.params):
        arguments = [
            _WORDS[each] for item in command.params if isinstance(item, click.Argument) for each in _named(item)
        ]
        yield name, [*path, *arguments, *_OPTIONS.get(name, [])]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found
            yield from _walk(found, [*path, each])
