"""Repository names, tags and references: the grammar of distribution-spec, strictly."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.oci.digest import Digest
from registry.oci.errors import DigestInvalid, NameInvalid, TagInvalid
from registry.oci.names import RepositoryName, Tag, parse_reference

SPECIFIED = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*", re.ASCII)


@pytest.mark.parametrize("text", ["a", "team/app", "a/b/c", "a__b", "a---b", "a.b_c-d", "a/blobs/uploads", "0"])
def test_a_name_of_the_grammar_is_accepted(text: str) -> None:
    """Components of letters and digits with the four separators, words of the API included."""
    assert RepositoryName.parse(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "A", "team/App", "/a", "a/", "a//b", "a..b", "a___b", "-a", "a-", "a b", "a\n", "ä", "a/../b", "a" * 256],
)
def test_a_name_outside_the_grammar_is_refused(text: str) -> None:
    """Upper case, empty components, doubled separators, Unicode and line ends included."""
    with pytest.raises(NameInvalid):
        RepositoryName.parse(text)


@given(st.text(alphabet="ab0._-/A", max_size=24))
def test_names_agree_with_the_specified_expression(text: str) -> None:
    """The parser accepts exactly what the specification's expression matches."""
    try:
        accepted = bool(RepositoryName.parse(text))
    except NameInvalid:
        accepted = False
    assert accepted == bool(SPECIFIED.fullmatch(text))


@pytest.mark.parametrize("text", ["", ".a", "-a", "a b", "a/b", "a:b", "a\n", "é", "a" * 129])
def test_a_tag_outside_the_grammar_is_refused(text: str) -> None:
    """A tag starts with a word character and has at most 128."""
    with pytest.raises(TagInvalid):
        Tag.parse(text)


@pytest.mark.parametrize("text", ["latest", "_x", "1.0-rc.1", "A" * 128])
def test_a_tag_of_the_grammar_is_accepted(text: str) -> None:
    """Letters of either case, digits, `_`, `.`, `-`."""
    assert Tag.parse(text) == text


def test_a_reference_with_a_colon_is_a_digest() -> None:
    """A tag cannot hold a colon, so it decides."""
    assert isinstance(parse_reference(f"sha256:{'0' * 64}"), Digest)


def test_a_reference_with_a_colon_that_is_no_digest_is_refused_as_digest() -> None:
    """`sha256:bad` is a bad digest, not a bad tag."""
    with pytest.raises(DigestInvalid):
        parse_reference("sha256:bad")


def test_a_reference_without_a_colon_is_a_tag() -> None:
    """Even when it looks like a hash."""
    assert isinstance(parse_reference("0" * 64), Tag)
