"""Nothing in a text of an image is unseen on a page, and nothing turns the rest of the page round."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.web.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a␀b"),
        ("\x1b[31m", "␛[31m"),
        ("a\x7f", "a␡"),
        ("gpj.\u202eexe", "gpj.U+202Eexe"),
        ("a\u200bb", "aU+200Bb"),
        ("a\nb\tc", "a\nb\tc"),
        ("größe", "größe"),
    ],
)
def test_what_cannot_be_seen_is_shown(text: str, shown: str) -> None:
    """Control characters as their symbols, others by their number."""
    assert visible(text) == shown


@given(st.text())
def test_all_that_is_left_can_be_seen(text: str) -> None:
    """Line ends and tabs aside."""
    left = {unicodedata.category(each) for each in visible(text) if each not in "\n\t"}
    assert left & {"Cc", "Cf", "Zl", "Zp"} == set()
