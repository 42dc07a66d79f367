"""The corpus over a shell: its programs are stubs, so that the operating system is what runtimes are asked for.

`RUNTIME_ALL=1` takes all of it instead of a part.
"""

import os

import pytest

from tests.corpus.case import Case
from tests.corpus.test_corpus import CASES
from tests.runtime.court import Court
from tests.runtime.stubs import over_shell

EVERY = 1 if os.environ.get("RUNTIME_ALL") else 12
CHOSEN = CASES[::EVERY]


@pytest.mark.parametrize("case", CHOSEN, ids=[case.name for case in CHOSEN])
def test_runtimes_show_the_operating_system(court: Court, case: Case) -> None:
    """As basegate tells it, in every runtime that starts the image."""
    trial = court.hear(case.name, over_shell(case.build()))
    shown = {name: facts.os for name, facts in trial.shown.items()}
    told = trial.ruling.facts.os
    assert list(trial.leaks) == [], trial.told()
    assert not told or all(seen.startswith(told.lower()) for seen in shown.values()), trial.told()
