"""docs/tour.md: its three changes are made in a copy of the tree, and do what the page says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
BLOCKS = [dedent(block) for block in re.findall(r"(?m)(?:^ {4}.*\n(?:\n+(?= {4}))?)+", PAGE)]
COPIED = ("registry", "policy", "tests", "config")
PYTHON = {".venv/bin/python": [sys.executable], "basegate": [sys.executable, "-m", "policy"]}


def block(text: str) -> str:
    """The one block of the page that holds a text."""
    (found,) = (block for block in BLOCKS if text in block)
    return found


@dataclass(frozen=True)
class Tree:
    """A copy of the tree."""

    folder: Path

    def change(self, name: str, pattern: str, text: str) -> None:
        """Put a text in place of what a pattern finds in a file; it must be there once."""
        file = self.folder / name
        changed, times = re.subn(pattern, lambda _found: text, file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert times == 1
        file.write_text(changed, encoding="utf-8")

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run the commands of a block; what the last one has printed, and its exit code."""
        for line in commands.splitlines():
            command, _, target = line.partition(" > ")
            words = shlex.split(command)
            variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
            done = subprocess.run(
                [*PYTHON[words[0]], *words[1:]],
                cwd=self.folder,
                capture_output=True,
                text=True,
                check=False,
                env=variables,
            )
            if target:
                (self.folder / target).write_text(done.stdout, encoding="utf-8")
        return done


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A copy to make changes in."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return Tree(tmp_path)


def test_an_import_that_points_the_wrong_way(tree: Tree) -> None:
    """The contracts are broken, and whole again without the line."""
    line, check = block("import registry.config.settings"), block("test_contracts.py")
    tree.change("registry/oci/digest.py", r"\A(?s:.*?)(?=^(import|from) )", f'"""Digests."""\n\n{line}')
    assert "test_the_tree_keeps_its_contracts" in tree.run(check).stdout
    tree.change("registry/oci/digest.py", f"^{line}", "")
    done = tree.run(check)
    assert done.returncode == 0, done.stdout


def test_another_default(tree: Tree) -> None:
    """The example and the schema are behind until they are written anew, by the commands that the page shows."""
    check = block("test_config_files.py")
    tree.change("registry/config/storage.py", r"^ *threads: int = Field\(.*\n", f"    {block('threads: int')}")
    red = tree.run(check)
    assert red.returncode == 1
    assert "write it anew: basegate config example > config/basegate.yaml" in red.stdout
    tree.run(block("basegate config example"))
    done = tree.run(check)
    assert done.returncode == 0, done.stdout


def test_a_rule(tree: Tree) -> None:
    """It is one file and one entry, and the schema of policy files knows it when it is written anew."""
    entry, check = block("(OsVersion, CondaVersion").splitlines(), block("test_schema.py")
    (tree.folder / "policy/rules/any_conda.py").write_text(block("class AnyConda"), encoding="utf-8")
    tree.change("policy/rules/__init__.py", "^(?=from policy.rules.conda_version )", f"{entry[0]}\n")
    tree.change("policy/rules/__init__.py", "^RULES: .*", entry[-1])
    red = tree.run(check)
    assert red.returncode == 1, red.stdout
    assert "test_the_file_is_current" in red.stdout
    tree.run(block("import json, policy.definition.schema"))
    done = tree.run(check)
    assert done.returncode == 0, done.stdout
