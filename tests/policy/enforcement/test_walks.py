"""A walk over all manifests, as it follows every turn of a policy, leaves memory to those that somebody asks for."""

from pathlib import Path

import pytest

from policy.results import verdicts
from policy.state import State
from tests.policy.images_made import good
from tests.policy.lab import TEAM, open_lab


@pytest.mark.parametrize(("known", "remembered"), [(True, None), (False, State.CLEARED)], ids=["walk", "question"])
def test_what_is_remembered(tmp_path: Path, known: bool, remembered: State | None) -> None:
    """What a walk was told is read again; what was asked for is not."""
    digest = good().digest
    with open_lab(tmp_path / "data") as lab:
        lab.pushed(good())
    with open_lab(tmp_path / "data") as lab:
        conclusion = lab.run(lab.gate.conclusion(TEAM, digest, known=known))
        assert conclusion is not None
        assert conclusion.state is State.CLEARED
        lab.results.write(verdicts.forget, digest)
        assert lab.gate.judge.known_state(digest, lab.gate.policies.of(TEAM).policy) is remembered
