"""What a pattern covers is the same wherever patterns are written."""

import pytest

from registry.oci.patterns import any_covers, covers, longest

COVERED = [
    ("*", "team/app"),
    ("team/*", "team/app"),
    ("team/*", "team/app/debug"),
    ("*/app", "team/lab/app"),
    ("t?am", "team"),
    ("v[12]", "v2"),
    ("team/app", "team/app"),
]
NOT_COVERED = [("team/*", "team"), ("team/*", "teams/app"), ("Team/*", "team/app"), ("t?am", "tam"), ("", "team")]


@pytest.mark.parametrize(("pattern", "name"), COVERED)
def test_a_pattern_covers(pattern: str, name: str) -> None:
    """`*` crosses slashes."""
    assert covers(pattern, name)


@pytest.mark.parametrize(("pattern", "name"), NOT_COVERED)
def test_a_pattern_does_not_cover(pattern: str, name: str) -> None:
    """A folder is not covered by what is in it, and capitals count."""
    assert not covers(pattern, name)


def test_the_longest_pattern_wins() -> None:
    """Of equally long ones the first; none when none covers."""
    assert longest(["*", "team/*", "team/a*", "other/*"], "team/app") == "team/a*"
    assert longest(["?eam", "t?am"], "team") == "?eam"
    assert longest(["other/*"], "team/app") is None


def test_one_of_several_is_enough() -> None:
    """As for a principal bound to two folders."""
    assert any_covers(["other/*", "team/*"], "team/app")
    assert not any_covers([], "team/app")
