"""The tools that judge the source: import contracts, types, style."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT


def _content(tool: str, *arguments: str) -> bool:
    """Whether a tool of this environment is content; fails with what it complains about."""
    program = Path(sys.executable).with_name(tool)
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{tool}:\n{done.stdout}{done.stderr}", pytrace=False)
    return True


def test_imports_point_one_way() -> None:
    """The import contracts of pyproject.toml hold: registry never imports policy, layers only look down."""
    assert _content("lint-imports", "--no-cache")


def test_types_hold() -> None:
    """Mypy in strict mode finds nothing in source and tests."""
    assert _content("mypy", "registry", "policy", "tests")


def test_style_holds() -> None:
    """Ruff finds nothing in source and tests."""
    assert _content("ruff", "check", ".")


def test_format_holds() -> None:
    """Every file is formatted."""
    assert _content("ruff", "format", "--check", ".")
