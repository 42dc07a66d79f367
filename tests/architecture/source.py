"""The project's own files as the house rules see them: parsed modules, functions and their sizes."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file.

    Attributes:
        path: relative to the project's root.
        text: its source.
        tree: the same, parsed.
    """

    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Number of lines."""
        return self.text.count("\n")

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones as well."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


def tracked() -> list[Path]:
    """The files under version control, relative to the root; all files where there is no version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\0") if listed.returncode == 0 else [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """The Python files of these top-level folders."""
    found = (path for path in sorted(tracked()) if path.suffix == ".py" and path.parts[0] in packages)
    return tuple(_read(path) for path in found)


def _read(path: Path) -> Module:
    text = (ROOT / path).read_text(encoding="utf-8")
    return Module(path, text, ast.parse(text, str(path)))


def size(function: Function) -> int:
    """Lines of a function: its signature and body, without decorators and docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and len(function.body) > 1:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def body_size(function: Function) -> int:
    """Lines of a function's body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0
