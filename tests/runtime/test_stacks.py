"""Random stacks of layers: what basegate says is what every runtime shows. `make runtime-fuzz` goes on from here."""

import pytest

from tests.runtime.court import Court
from tests.runtime.stacks import stack

COUNT = 150


@pytest.mark.parametrize("seed", range(COUNT))
def test_runtimes_show_what_basegate_says_of_a_random_stack(court: Court, seed: int) -> None:
    """Whatever is cleared or refused is so in every runtime that starts it; what is not cleared reaches no reader."""
    trial = court.hear(f"seed {seed}", stack(seed).image)
    assert trial.disagreements() == [], trial.told()


def test_a_seed_is_one_image() -> None:
    """On every machine, so that a seed says all there is to say."""
    assert stack(7).image.digest == stack(7).image.digest != stack(8).image.digest
