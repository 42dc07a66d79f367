"""YAML of an inference configuration: what is read, what is refused, and nothing that grows faster than its text."""

from datetime import date
from typing import Any

import pytest

from policy.gateway.inference_config.yaml_text import BARE, YamlRefused, load

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
