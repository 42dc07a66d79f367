"""docs/architecture.md shows the tree as it is: every room with the rule that its first line says."""

import ast
import re

import pytest

from tests.architecture.source import ROOT, tracked

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LINE = re.compile(r"^( {4,})(\S+)(?: {2,}(\S.*))?$", re.MULTILINE)


def shown() -> dict[str, str]:
    """Rooms and single files of the page's tree, with what it says of them."""
    block = PAGE.partition("    registry/")
    tree = (block[1] + block[2]).partition("Both are put together")[0]
    found: dict[str, str] = {}
    way: list[str] = []
    for indent, name, said in LINE.findall(tree):
        depth = (len(indent) - 4) // 2
        way = [*way[:depth], name.rstrip("/")]
        found["/".join(way) + ("/" if name.endswith("/") else "")] = said
    return found


def rule(path: str) -> str:
    """The first sentence or line of a file's docstring."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".")


def there() -> dict[str, str]:
    """Rooms and single files as they are."""
    names = [path.as_posix() for path in tracked() if path.parts[0] in {"registry", "policy"} and path.suffix == ".py"]
    services = {name.removesuffix("__init__.py"): rule(name) for name in names if name.endswith("/__init__.py")}
    single = {name: rule(name) for name in names if name.count("/") == 1 and not name.endswith("/__init__.py")}
    return {name: said for name, said in (services | single).items() if name not in {"registry/", "policy/"}}


def test_the_page_shows_every_room_and_no_other() -> None:
    """A room that is added or goes changes the page."""
    assert set(shown()) - {"registry/", "policy/"} == set(there())


@pytest.mark.parametrize("path", sorted(there()))
def test_the_page_says_what_the_room_says(path: str) -> None:
    """In the same words, of which a single file's may be cut at a full stop."""
    assert there()[path].startswith(shown()[path])
    assert shown()[path]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\*\*([a-z_/]+\.py)\*\*", PAGE))))
def test_the_walks_go_through_files_that_are_there(name: str) -> None:
    """A bold file is one of the tree."""
    assert [path for path in tracked() if path.as_posix().endswith(f"/{name}")]
