"""Faults that are put into the product on purpose are found."""

import itertools
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.crash.laboratory import Laboratory
from tests.crash.library import compiler
from tests.crash.mutants import MUTANTS
from tests.crash.points import Kind, Length, kills, points

PATHS = ("POST, PUT of a small blob", "POST, PUT of a large blob", "POST, PUT of a blob that is there", "tag move")
MIXED = list(itertools.islice(points(dict.fromkeys(PATHS, Length(16, 8)), 0), 160))
CUTS = [point for point in MIXED if point.kind is Kind.POWER]
# Two or three of these thirty find it; which ones, depends on what the server writes by itself just then.
AGAIN = 3 * kills({"POST, PUT of a blob that is there": Length(12, 6)})
WHERE = dict(zip(MUTANTS, (CUTS, CUTS, AGAIN), strict=True))


@pytest.mark.xdist_group("crash")
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_found(tmp_path: Path, mutant: str) -> None:
    """Acknowledged content is lost at one of the points of the paths that it is in."""
    if compiler() is None:
        missing("no C compiler is installed")
    found = iter(WHERE[mutant])
    with Laboratory(tmp_path / "laboratory", mutant) as laboratory:
        while group := list(itertools.islice(found, 10)):
            outcomes = laboratory.run(group)
            if any(outcome.found.lost for outcome in outcomes):
                return
    pytest.fail("nothing was found")
