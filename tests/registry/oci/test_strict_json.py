"""Strict JSON: what two clients could read differently is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.oci import shapes, strict_json
from registry.oci.strict_json import JsonRefused, MembersUnclear

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
        ('{"\u017fize":1,"SIZE":2}'.encode(), "differ by case only"),
        ('{"bloc\u212a":1,"block":2}'.encode(), "differ by case only"),
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


@pytest.mark.parametrize(
    "raw", ['{"stra\u00dfe":1,"STRASSE":2}', '{"con\ufb01g":1,"config":2}', '{"\u0130d":1,"id":2}']
)
def test_names_that_go_tells_apart_are_two(raw: str) -> None:
    """Its folding knows neither ligatures nor letters of several characters."""
    assert len(strict_json.loads(raw.encode())) == 2


@pytest.mark.parametrize(
    ("document", "member"),
    [
        ({"MediaType": "x"}, "MediaType"),
        ({"config": {"MEDIATYPE": "x"}}, "MEDIATYPE"),
        ({"layers": [{"digest": "x"}, {"dige\u017ft": "x"}]}, "dige\u017ft"),
        ({"manifests": [{"platform": {"OS": "linux"}}]}, "OS"),
        ({"\u017fubject": {}}, "\u017fubject"),
    ],
)
def test_a_member_that_only_go_would_know_is_refused(document: object, member: str) -> None:
    """It needs no twin: runtimes would read what is invisible here."""
    with pytest.raises(MembersUnclear, match=member):
        strict_json.refuse_misspelt(document, shapes.MANIFEST)


@pytest.mark.parametrize(
    "document",
    [
        {"config": {"Labels": {"env": "1", "Env": "2"}, "Volumes": {"/Size": {}}, "ExposedPorts": {"os": {}}}},
        {"con\ufb01g": {"env": []}, "os": "linux"},
        {"history": [{"created_by": "x"}], "rootfs": {"diff_ids": []}, "Unknown": {"Os": "x"}},
        [1, "x"],
    ],
)
def test_names_of_free_maps_and_unknown_members_are_free(document: object) -> None:
    """Go keeps the first apart and never looks at the second."""
    strict_json.refuse_misspelt(document, shapes.CONFIGURATION)


@pytest.mark.parametrize("shape", [shapes.MANIFEST, shapes.CONFIGURATION], ids=["manifest", "configuration"])
def test_the_members_of_a_shape_differ_by_more_than_case(shape: shapes.Shape) -> None:
    """Else one of them could never be spelled right."""
    assert all(shape.member_for(name) == name for name in shape.members)


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


def depth_of(value: object) -> int:
    """How deep a document nests, counted in what was read."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, dict | list) + max(map(depth_of, items), default=0)


AWKWARD = st.recursive(
    st.text(alphabet='[]{}"\\a', max_size=6),
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.text(alphabet='[{"\\a', max_size=3), below, max_size=3)
    ),
)


@given(AWKWARD)
def test_depth_is_counted_exactly(value: object) -> None:
    """A document is read up to its own depth, and refused below, whatever its strings hold."""
    raw, depth = json.dumps([value]).encode(), 1 + depth_of(value)
    assert strict_json.loads(raw, maximum_depth=depth) == [value]
    with pytest.raises(JsonRefused, match=f"deeper than {depth - 1} levels"):
        strict_json.loads(raw, maximum_depth=depth - 1)


@pytest.mark.parametrize("raw", [b"[" * 200_000, b"[]]" * 100_000 + b"[" * 65, b'"\\"[' + b"{" * 100])
def test_what_does_not_end_is_not_parsed(raw: bytes) -> None:
    """Brackets that nobody closes, too many that close, a string without an end."""
    with pytest.raises(JsonRefused):
        strict_json.loads(raw)


def test_quotes_are_paired_across_slices() -> None:
    """A text of many strings with brackets is split piece by piece."""
    raw = json.dumps(['"[' * 3, "{"] * 30_000).encode()
    assert strict_json.loads(raw, maximum_depth=1)


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


def test_exact_readers_have_two_names_where_others_have_one() -> None:
    """Where everybody keeps to the case of names, two that differ by case only are two; the same one is still one."""
    assert strict_json.loads(b'{"a":{"b":1,"B":2}}', exact=True) == {"a": {"b": 1, "B": 2}}
    with pytest.raises(JsonRefused, match="stands twice"):
        strict_json.loads(b'{"a":1,"a":2}', exact=True)
