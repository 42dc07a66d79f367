"""Faults at 500 points of a live registry: nothing acknowledged is lost, nothing wrong is served, nobody has to help.

`make crash` puts in thousands, in the same way. What one finding says is put in again by
`python -m tests.crash --seed 0 --only POINT`.
"""

import itertools
from functools import cache

import pytest

from tests.crash.laboratory import Laboratory
from tests.crash.points import Kind, Length, Point, points

SEED = 0
BLOCK = 20
# One fault of a block may ask for a call that is not made this time: at least 513 are put in.
BLOCKS = 27


@cache
def lengths(laboratory: Laboratory) -> dict[str, Length]:
    """Counted once."""
    return laboratory.lengths()


def block(laboratory: Laboratory, number: int) -> list[Point]:
    """Points that are put into one folder."""
    return list(itertools.islice(points(lengths(laboratory), SEED), number * BLOCK, (number + 1) * BLOCK))


@pytest.mark.xdist_group("crash")
@pytest.mark.parametrize("number", range(BLOCKS))
def test_nothing_is_lost(laboratory: Laboratory, number: int) -> None:
    """Twenty points after each other: every one is survived, and all of their faults but one were put in."""
    outcomes = laboratory.run(block(laboratory, number))
    assert {str(outcome.point): outcome.found.all for outcome in outcomes if outcome.found.all} == {}
    assert sum(outcome.hit for outcome in outcomes) >= BLOCK - 1


@pytest.mark.xdist_group("crash")
def test_points_are_of_every_kind_and_in_every_path(laboratory: Laboratory) -> None:
    """The mix of what the test above puts in."""
    put_in = list(itertools.chain.from_iterable(block(laboratory, number) for number in range(BLOCKS)))
    assert {point.kind for point in put_in} == set(Kind)
    assert {*lengths(laboratory), "together"} == {point.path for point in put_in}
