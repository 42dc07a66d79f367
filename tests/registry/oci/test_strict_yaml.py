"""Strict YAML: what is read, what is refused, and nothing that grows faster than its text."""

from datetime import date
from typing import Any

import pytest

from registry.oci.strict_yaml import BARE, YamlRefused, load

READ: dict[str, Any] = {
    "": None,
    "a: b": {"a": "b"},
    "a: 'true'": {"a": "true"},
    "a: true\nb: no\nc: ~\nd:": {"a": True, "b": False, "c": None, "d": None},
    "a: 1\nb: -0x10\nc: 1.5\nd: 1:30": {"a": 1, "b": -16, "c": 1.5, "d": 90},
    "a: 2019-07-01": {"a": date(2019, 7, 1)},
    "a: !!str 1\nb: !!int '2'": {"a": "1", "b": 2},
    "a:\n- b\n- {c: d}\n": {"a": ["b", {"c": "d"}]},
    "a: |\n  b\n  c\n": {"a": "b\nc\n"},
    "{a: b, # c\n d: e}": {"a": "b", "d": "e"},
    "--- \na: b\n...\n": {"a": "b"},
    "a: =": {"a": "="},
    "a: 1" + ":59" * 100_000: {"a": "1" + ":59" * 100_000},
    "a: " + "1" * 100_000: {"a": "1" * 100_000},
}
REFUSED = {
    "a: &x b\nc: *x": "alias",
    "a: &x [b]\n<<: {c: d}": "merge",
    "a: b\na: c": "stands twice",
    "a: !!python/object:os.system b": "tag",
    "a: !mine b": "tag",
    "a: !!binary YQ==": "tag",
    "a: !!int b": "no int",
    f"a: !!int {'1' * (BARE + 1)}": "no int",
    "? [a]\n: b": "no word",
    "a: b\n---\nc: d": "second document",
    "a: [b": "line",
    "a: b: c": "line 1",
    "[" * 100: "deeper",
    "a: " + "[" * 100_000: "deeper",
}


@pytest.mark.parametrize(("text", "value"), READ.items(), ids=[text[:20] for text in READ])
def test_reads_what_yaml_reads(text: str, value: Any) -> None:
    """As YAML 1.1 has it; a bare word too long to be a number is a word."""
    assert load(text) == value


@pytest.mark.parametrize(("text", "word"), REFUSED.items(), ids=[text[:20] for text in REFUSED])
def test_refuses_the_rest(text: str, word: str) -> None:
    """With what was found."""
    with pytest.raises(YamlRefused, match=word):
        load(text)


NAMED: dict[str, Any] = {
    "a: &x b\nc: *x": {"a": "b", "c": "b"},
    "a: &x [1]\nb: *x\nc: *x": {"a": [1], "b": [1], "c": [1]},
    "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}": {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}},
    "a: [&x {b: 1}, &y {b: 2, c: 3}]\nd: {<<: [*x, *y]}": {"a": [{"b": 1}, {"b": 2, "c": 3}], "d": {"b": 1, "c": 3}},
}


@pytest.mark.parametrize(("text", "value"), NAMED.items(), ids=[text[:20] for text in NAMED])
def test_reads_aliases_where_they_are_wanted(text: str, value: Any) -> None:
    """And merges, in which what is written out counts first."""
    assert load(text, aliases=True) == value


@pytest.mark.parametrize(
    ("text", "word"),
    {"a: *x": "names nothing", "a: &x [*x]": "names nothing", "<<: a": "no members", "a: &x b\na: *x": "twice"}.items(),
)
def test_refuses_aliases_of_nothing(text: str, word: str) -> None:
    """Also of what is not there whole yet, which would hold itself."""
    with pytest.raises(YamlRefused, match=word):
        load(text, aliases=True)


def test_reads_bytes() -> None:
    """In UTF-8, with a mark of it or without."""
    assert [load(raw) for raw in ("a: é".encode(), b"\xef\xbb\xbfa: b")] == [{"a": "é"}, {"a": "b"}]
    with pytest.raises(YamlRefused):
        load(b"a: \xff")


def test_aliases_of_aliases_take_no_room() -> None:
    """What stands once in the text is made once, however often it is named."""
    lines = ["a0: &a0 [x]", *(f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 30))]
    found = load("\n".join(lines), aliases=True)
    assert all(each is found["a28"] for each in found["a29"])
