"""Strict JSON: what two clients could read differently is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.oci import strict_json
from registry.oci.strict_json import JsonRefused

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet="abcdxyz", max_size=6), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b'{"a":1,"a":2}', "stands twice"),
        (b'{"layers":[],"Layers":[]}', "differ by case only"),
        (b'{"config":{"Env":[],"env":[]}}', "differ by case only"),
        (b'{"a":[{"b":1,"B":2}]}', "differ by case only"),
        ('{"stra\u00dfe":1,"STRASSE":2}'.encode(), "differ by case only"),
        (b'{"annotations":{"a":"1","a":"2"}}', "stands twice"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"\xff", "not JSON"),
        (b"", "not JSON"),
        (b"{} x", "not JSON"),
        (b'{"n":' + b"9" * 21 + b"}", "more than 20 digits"),
        (b"[" * 65 + b"]" * 65, "nested deeper"),
        (b'{"a":' * 100_000, "nested deeper"),
    ],
)
def test_ambiguous_or_hostile_text_is_refused(raw: bytes, why: str) -> None:
    """The message says what is wrong."""
    with pytest.raises(JsonRefused, match=why):
        strict_json.loads(raw)


@pytest.mark.parametrize("member", ["annotations", "Labels", "ExposedPorts", "Volumes"])
def test_free_maps_may_hold_names_that_differ_by_case(member: str) -> None:
    """There every client keeps both names."""
    raw = json.dumps({member: {"Version": "1", "version": "2"}}).encode()
    assert strict_json.loads(raw)[member] == {"Version": "1", "version": "2"}


def test_the_usual_names_cannot_be_twins() -> None:
    """Objects of these names alone are not searched for any."""
    assert len({name.casefold() for name in strict_json.USUAL_NAMES}) == len(strict_json.USUAL_NAMES)


@pytest.mark.parametrize(
    "document",
    [
        {"annotations": {"A": "1", "a": "2"}, "layers": [], "LAYERS": []},
        {"labels": {"x": {"B": 1, "b": 2}}},
        {"annotations": {"A": "1", "a": "2"}, "list": [[{"B": 1, "b": 2}]]},
    ],
)
def test_twins_are_refused_below_and_beside_free_maps(document: object) -> None:
    """What is allowed in one place excuses no other."""
    with pytest.raises(JsonRefused, match="differ by case only"):
        strict_json.loads(json.dumps(document).encode())


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    """Only structure nests."""
    raw = json.dumps({"a": '\\"[' * 200}).encode()
    assert strict_json.loads(raw) == {"a": '\\"[' * 200}


@given(VALUES)
def test_plain_documents_read_as_json_reads_them(value: object) -> None:
    """Without ambiguity strictness changes nothing."""
    assert strict_json.loads(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_are_refused(raw: bytes) -> None:
    """Nothing but JsonRefused ever comes out."""
    try:
        strict_json.loads(raw)
    except JsonRefused as error:
        assert str(error)
