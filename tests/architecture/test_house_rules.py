"""The rules of CONTRIBUTING.md that a program can check."""

import ast
import re

import pytest

from tests.architecture.source import ROOT, Module, modules, tracked

BARRED_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
# Written in pieces: this file is searched as well.
BARRED_TEXT = re.compile(
    "|".join([r"(?<!\w)/" + r"work/", r"pypi\." + r"org", r"proxy\.golang\." + r"org", r"deb\.debian\." + r"org"])
)
TEXT_SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".sh", ".json", ".html", ".css", ""}


def _names(module: Module) -> set[str]:
    return {module.path.stem, *module.path.parts[:-1]}


@pytest.mark.parametrize("packages", [("registry", "policy"), ("tests",)])
def test_a_file_is_a_noun_of_the_domain(packages: tuple[str, ...]) -> None:
    """No file or folder has a name that says nothing."""
    assert [str(module.path) for module in modules(*packages) if _names(module) & BARRED_NAMES] == []


def test_every_file_says_what_it_is_for() -> None:
    """The first statement of a source file is its docstring."""
    assert [str(module.path) for module in modules("registry", "policy") if not ast.get_docstring(module.tree)] == []


def test_every_test_says_what_it_shows() -> None:
    """Every test function has a docstring of one sentence."""
    assert [
        f"{module.path}:{function.lineno} {function.name}"
        for module in modules("tests")
        for function in module.functions()
        if function.name.startswith("test_") and not (ast.get_docstring(function) or "").strip()
    ] == []


def test_handlers_are_short_and_do_not_catch() -> None:
    """A handler of the registry's API has at most 20 lines and no `try`."""
    handlers = [
        (module.path, function)
        for module in modules("registry")
        if module.path.parts[:2] == ("registry", "api")
        for function in module.tree.body
        if isinstance(function, ast.AsyncFunctionDef) and "services" in {a.arg for a in function.args.args}
    ]
    assert handlers
    assert [
        f"{path}:{function.lineno} {function.name}"
        for path, function in handlers
        if any(isinstance(node, ast.Try) for node in ast.walk(function))
        or (function.end_lineno or 0) - function.lineno >= 20
    ] == []


def test_nothing_committed_names_a_machine_or_a_package_host() -> None:
    """No tracked text file holds a path of the machine it was written on or the address of a package host."""
    assert [
        f"{path}:{number}"
        for path in tracked()
        if path.suffix in TEXT_SUFFIXES
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if BARRED_TEXT.search(line)
    ] == []


def test_a_test_skips_only_where_a_skip_is_loud() -> None:
    """Tests skip through `tests.conftest.missing`, which fails where CI=true; never on their own."""
    assert [
        f"{module.path}:{node.lineno}"
        for module in modules("tests")
        if module.path.name != "conftest.py" or module.path.parent.name != "tests"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "importorskip", "xfail"}
    ] == []
