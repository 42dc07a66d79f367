"""Compiled templates are kept, and compiled again where anything has changed that they were made of."""

from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from policy.web.bytecode import CompiledTemplates

PAGE = "page.html"


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)


def rendered(folder: Path, basis: str = "one") -> str:
    """What a new environment makes of the page."""
    made = Environment(
        loader=FileSystemLoader(folder), autoescape=True, bytecode_cache=CompiledTemplates(folder, basis)
    )
    return made.get_template(PAGE).render()


def kept(folder: Path) -> Path:
    """The file of the compiled page."""
    (found,) = (folder / "__pycache__").glob("page.*.jinja")
    return found


def test_a_compiled_template_is_used_again(tmp_path: Path) -> None:
    """As long as its source and what else it depends on are the same, its file stays as it is."""
    (tmp_path / PAGE).write_text("one", encoding="utf-8")
    assert rendered(tmp_path) == "one"
    before = kept(tmp_path).stat()
    assert rendered(tmp_path) == "one"
    assert kept(tmp_path).stat() == before


@pytest.mark.parametrize(("source", "basis"), [("two", "one"), ("one", "two")])
def test_a_change_compiles_it_again(tmp_path: Path, source: str, basis: str) -> None:
    """Of the template, or of what else it depends on."""
    (tmp_path / PAGE).write_text("one", encoding="utf-8")
    rendered(tmp_path)
    before = kept(tmp_path).read_bytes()
    (tmp_path / PAGE).write_text(source, encoding="utf-8")
    assert rendered(tmp_path, basis) == source
    assert kept(tmp_path).read_bytes() != before


@pytest.mark.parametrize("part", [0.0, 0.02, 0.1, 0.5, 0.99])
def test_a_damaged_file_is_replaced(tmp_path: Path, part: float) -> None:
    """The page is there all the same."""
    (tmp_path / PAGE).write_text("one", encoding="utf-8")
    rendered(tmp_path)
    whole = kept(tmp_path).read_bytes()
    kept(tmp_path).write_bytes(whole[: int(len(whole) * part)])
    assert rendered(tmp_path) == "one"
    assert kept(tmp_path).read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with PYTHONDONTWRITEBYTECODE, and where the folder is not to be written to."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    (tmp_path / PAGE).write_text("one", encoding="utf-8")
    assert rendered(tmp_path) == "one"
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    (tmp_path / "__pycache__").write_text("no folder", encoding="utf-8")
    assert rendered(tmp_path) == "one"
    assert (tmp_path / "__pycache__").is_file()
