"""The table of the document in docs/azure.md: 24 rows, each with a test that there is."""

import ast
import re

import pytest

from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "azure.md").read_text(encoding="utf-8").partition("## The document, row by row")[2]
ROWS = re.findall(r"^\| .* \| `(tests/\S+)::(test_\w+)` \|$", PAGE, re.MULTILINE)


def test_every_row_has_a_test() -> None:
    """As many as the document has."""
    assert len(ROWS) == len([line for line in PAGE.splitlines() if line.startswith("| ")]) - 1 == 24


@pytest.mark.parametrize(("file", "name"), sorted(set(ROWS)))
def test_the_test_is_there(file: str, name: str) -> None:
    """By its name."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
