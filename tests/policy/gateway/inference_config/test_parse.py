"""Configuration texts: JSON and YAML alike, and hostile ones refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.gateway.inference_config.interpret import interpret
from policy.gateway.inference_config.parse import InferenceConfigUnreadable, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
KEYS = st.sampled_from(["baseImage", "baseImageRegistry", "environment", "docker", "image", "runtime"]) | st.text()


@pytest.mark.parametrize(
    "text",
    [
        '{"baseImage": "h.example/a:v1"}',
        "baseImage: h.example/a:v1\n",
        "# a comment\nbaseImage: 'h.example/a:v1'\n",
        '\ufeff{"baseImage": "h.example/a:v1"}',
        '{\t"baseImage":\t"h.example/a:v1"}',
        '{"baseImage": h.example/a:v1}',
    ],
)
def test_both_forms(text: str) -> None:
    """JSON and YAML say the same."""
    assert parse(text)["baseImage"] == "h.example/a:v1"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "found nothing"),
        ("[1]", "found a list"),
        ("just words", "found text"),
        ('{"baseImage": "a/b:1", "baseImage": "a/c:1"}', "stands twice"),
        ("baseImage: a\nbaseImage: b\n", "stands twice"),
        ("a: [1\n", "neither JSON nor YAML"),
        ("a: !!python/object/apply:os.system [id]", "neither JSON nor YAML"),
        ("a: &x [1]\nb: *x\n", "alias"),
        ("[" * 500, "deeper"),
        ('{"a":' * 100000, "deeper"),
        ('{"a":' + "[" * 70 + "]" * 70 + "}", "deeper"),
        ('{"a": "\\ud800"}', "surrogate"),
        ("a: 2020-99-99", "neither JSON nor YAML"),
        ("? [a]\n: 1", "neither JSON nor YAML"),
    ],
)
def test_unreadable(text: str, part: str) -> None:
    """What is not a configuration is refused in one sentence."""
    with pytest.raises(InferenceConfigUnreadable, match=part):
        parse(text)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """No text makes the reader fail in another way."""
    try:
        interpret(parse(text))
    except InferenceConfigUnreadable as error:
        assert str(error)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_document(document: dict[str, object]) -> None:
    """No document makes the reader fail: a fault is a remark."""
    assert interpret(parse(json.dumps(document))).remarks is not None


@pytest.mark.parametrize(
    "text", ['{\n "entryScript": "score.py",\n "baseImage": {{image}}\n}', "a: 1\nb: 2\nbaseImage: {{ acr }}/app:v1\n"]
)
def test_a_template_is_named_with_its_line(text: str) -> None:
    """Rather than YAML's words for it."""
    with pytest.raises(InferenceConfigUnreadable, match=r"line 3 has the placeholder \{\{"):
        parse(text)
