"""Versions compare as numbers and as Conda does, never as text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.rules.versions import VersionRefused, compare_conda, plain_version, series_of

ASCENDING = [
    "0.4.1a1", "0.4.1", "0.5a1", "0.5b3", "0.5", "0.9.6", "0.960923", "1.0", "1.1dev1", "1.1.a1", "1.1.0rc1", "1.1.0",
    "1.1.0post1", "4.4.11", "4.5.0rc1", "4.5", "4.5.12", "4.10", "4.10.3", "23.1.0", "1!0.1",
]  # fmt: skip


@pytest.mark.parametrize(("older", "newer"), list(pairwise(ASCENDING)))
def test_conda_order(older: str, newer: str) -> None:
    """Each version of the list is older than the next, and not the other way round."""
    assert compare_conda(older, newer) < 0 < compare_conda(newer, older)


@pytest.mark.parametrize(("one", "other"), [("4.5", "4.5.0"), ("4.5.0", "4.5.0.0"), ("1.0A", "1.0a"), ("3.6+", "3.6")])
def test_equal_spellings(one: str, other: str) -> None:
    """Trailing zeros and letter case make no difference."""
    assert compare_conda(one, other) == 0


@given(st.from_regex(r"\A[0-9a-c._]{1,8}\Z"), st.from_regex(r"\A[0-9a-c._]{1,8}\Z"))
def test_conda_order_is_antisymmetric(one: str, other: str) -> None:
    """Turning a comparison round turns its sign."""
    try:
        forward = compare_conda(one, other)
    except VersionRefused:
        return
    assert (forward > 0) == (compare_conda(other, one) < 0)


@pytest.mark.parametrize("text", ["", "latest", "4.5 rc", "x!4.5", "4" * 200, "\uff14.5"])
def test_no_version_of_conda(text: str) -> None:
    """What is not a version is refused, not guessed."""
    with pytest.raises(VersionRefused, match="is not a version"):
        compare_conda(text, "4.5")


@pytest.mark.parametrize("text", ["", "testing/sid", "16.04.", "16.04 LTS", "xenial", "16.-4", "\uff11\uff16.04"])
def test_no_plain_version(text: str) -> None:
    """An operating system's version is a number, or numbers joined by dots, and nothing else."""
    with pytest.raises(VersionRefused):
        plain_version(text)


def test_plain_versions_compare_as_numbers() -> None:
    """16.10 is newer than 16.04, and 18.04 newer than 9.10."""
    assert plain_version("9.10") < plain_version("16.04") < plain_version("16.10") < plain_version("18.04")


@pytest.mark.parametrize(
    ("text", "series"), [("3.6.8", (3, 6)), ("3.10.2", (3, 10)), ("3.6.0rc1+", (3, 6)), ("3.1", (3, 1))]
)
def test_series(text: str, series: tuple[int, int]) -> None:
    """3.10 is not 3.1."""
    assert series_of(text) == series


@pytest.mark.parametrize("text", ["", "3", "three.six", "v3.6"])
def test_no_series(text: str) -> None:
    """What does not begin with two numbers names no series."""
    with pytest.raises(VersionRefused):
        series_of(text)


def test_plain_versions_have_any_count_of_numbers() -> None:
    """12 is a version, the same as 12.0 and older than 12.1; so is a date; a point release is newer."""
    assert plain_version("12") == plain_version("12.0") < plain_version("12.1") < plain_version("20230201")
    assert plain_version("16.04") < plain_version("16.04.7") < plain_version("16.10")
    assert plain_version("0.0") == plain_version("0")
