"""Random stacks of layers: what basegate says is what every runtime shows. `make runtime-fuzz` goes on from here."""

from collections.abc import Callable

import pytest

from tests.runtime.court import Court
from tests.runtime.stacks import Stack, stack
from tests.runtime.torn_stacks import torn_stack

COUNT = 150
TORN = 60


@pytest.mark.parametrize("seed", range(COUNT))
def test_runtimes_show_what_basegate_says_of_a_random_stack(court: Court, seed: int) -> None:
    """Whatever is cleared or refused is so in every runtime that starts it; what is not cleared reaches no reader."""
    trial = court.hear(f"seed {seed}", stack(seed).image)
    assert trial.disagreements() == [], trial.told()


@pytest.mark.parametrize("seed", range(TORN))
def test_runtimes_show_what_basegate_says_of_a_torn_stack(court: Court, seed: int) -> None:
    """The same where single members of prefixes come and go."""
    trial = court.hear(f"torn seed {seed}", torn_stack(seed).image)
    assert trial.disagreements() == [], trial.told()


@pytest.mark.parametrize("make", [stack, torn_stack])
def test_a_seed_is_one_image(make: Callable[[int], Stack]) -> None:
    """On every machine, so that a seed says all there is to say."""
    assert make(7).image.digest == make(7).image.digest != make(8).image.digest
