"""The corpus over a shell, its programs speaking: system, Conda and Python are what basegate tells.

`RUNTIME_ALL=1` takes all of it instead of a part.
"""

import os

import pytest

from tests.corpus.case import Case
from tests.corpus.test_corpus import CASES
from tests.runtime.court import Court, contradictions
from tests.runtime.speaking import speaking
from tests.runtime.stubs import over_shell

EVERY = 1 if os.environ.get("RUNTIME_ALL") else 12
CHOSEN = CASES[::EVERY]


@pytest.mark.parametrize("case", CHOSEN, ids=[case.name for case in CHOSEN])
def test_runtimes_show_what_basegate_says_of_the_corpus(court: Court, case: Case) -> None:
    """In every runtime that starts the image; what a program that is a stub would say is not asked for."""
    trial = court.hear(case.name, over_shell(speaking(case.build())))
    told = trial.ruling.facts
    wrong = [line for facts in trial.shown.values() for line in contradictions(told, facts)]
    assert [*trial.leaks, *wrong] == [], trial.told()
