"""Every kind of difference between runtimes, kernels, shells and archives: what basegate says is what they show.

`RUNTIME_ALL=1` takes all cases of the tables instead of a part of them.
"""

import os

import pytest

from tests.runtime.court import Court
from tests.runtime.kinds.case import Case
from tests.runtime.kinds.roster import TABLES, cases

CHOSEN = cases(whole=bool(os.environ.get("RUNTIME_ALL")))


@pytest.mark.parametrize(("table", "case"), CHOSEN, ids=[f"{table}: {case.name}"[:150] for table, case in CHOSEN])
def test_runtimes_show_what_basegate_says(court: Court, table: str, case: Case) -> None:
    """What is cleared is what every runtime starts; what is withheld reaches no reader."""
    trial = court.hear(case.name, case.build())
    assert trial.disagreements() == [], trial.told()
    assert not case.states or trial.ruling.state in case.states, trial.told()


def test_every_table_has_cases() -> None:
    """A kind has its finding's examples and at least two more."""
    assert all(len(table) >= 10 for table in TABLES.values())
