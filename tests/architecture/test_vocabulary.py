"""docs/vocabulary.md: each word of ours stands in the file that the page names; words given up stay away."""

import ast
import re

import pytest

from tests.architecture.source import ROOT, Module, modules

ROW = re.compile(r"^\| ([a-z][^|]*?) \| [^|]+ \| `([^`]+)` \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8"))
# What modules and classes were called before each got the field's own word (docs/adr/0036-rooms-with-a-rule-each.md).
GIVEN_UP = re.compile(
    r"\b(answers|apart|arrivals|beginning|bindings|clearance|confinement|door|edge|errand|exchange|explanation|fresh"
    r"|ground|heap|inquiry|ledger|means|needs|neighbour|occasion|orders|parcel|probe|readings|rejudging|remembered|rooms"
    r"|sentences|shelves|sightings|standing|syncing|turn|turnover|workshop)\b"
)
# Explanation: what `gc explain` answers. Fresh: in the name of a revision, which databases have stored.
KEPT = frozenset({"Explanation", "r0004_small_blobs_that_are_fresh"})


def in_words(text: str) -> str:
    """Identifiers taken apart: `MergedRoot` and `merged_root` are both `merged root`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).replace("_", " ").lower()


def names(module: Module) -> list[str]:
    """What the module and its classes are called."""
    return [module.path.stem, *(node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef))]


def test_there_are_words() -> None:
    """The page is read as it is written, and no word stands there twice."""
    words = [word for word, _ in ROWS]
    assert len(words) > 30
    assert len(words) == len(set(words))


@pytest.mark.parametrize(("word", "path"), ROWS, ids=[word for word, _ in ROWS])
def test_a_word_stands_where_the_page_says(word: str, path: str) -> None:
    """In the file's name, in a name in it, or in what it says of itself."""
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"\b{word}\b", in_words(f"{path}\n{text}"))


def test_words_that_were_given_up_name_nothing_any_more() -> None:
    """No module and no class has one of them in its name."""
    assert [
        f"{module.path}: {name}"
        for module in modules("registry", "policy")
        for name in names(module)
        if name not in KEPT and GIVEN_UP.search(in_words(name))
    ] == []
