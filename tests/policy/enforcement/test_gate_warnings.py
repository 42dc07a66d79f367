"""Warnings on a cleared image: told where its verdict is made for a person, and not to who only pulls."""

from pathlib import Path

from policy.client.text import in_words
from policy.gateway.checks import answer_of
from policy.state import State
from tests.policy.images_made import (
    PREFIX,
    MadeImage,
    base,
    image,
    layer,
    miniconda,
)
from tests.policy.lab import READER, TEAM, V1, open_lab


def off_path() -> MadeImage:
    """A good Conda that PATH does not reach."""
    there = {path: text.replace(PREFIX, "opt/elsewhere") for path, text in miniconda().items()}
    return image(layer(base()), layer({path.replace(PREFIX, "opt/elsewhere"): text for path, text in there.items()}))


def test_the_push_is_told_and_the_pull_is_not(tmp_path: Path) -> None:
    """The first pull no more than the second, also where no verdict was kept."""
    with open_lab(tmp_path) as lab:
        pushed = lab.pushed(off_path())
        assert "which the image's PATH does not reach" in pushed.warnings[0]
        for _ in range(2):
            assert lab.run(lab.manifests.pull(READER, TEAM, V1)).warnings == ()
    (tmp_path / "policy.db").unlink()
    with open_lab(tmp_path) as lab:
        assert lab.run(lab.manifests.pull(READER, TEAM, V1)).warnings == ()


def test_a_check_is_told(tmp_path: Path) -> None:
    """Allowed, with a note."""
    with open_lab(tmp_path) as lab:
        pushed = lab.pushed(off_path())
        standing = lab.run(lab.gate.standing(READER, TEAM, pushed.digest))
        assert standing.verdict is not None
        assert standing.verdict.state is State.CLEARED
        assert "  note: Conda 4.5.12 found at" in in_words(answer_of("h:1/team/app:v1", pushed.digest, standing))
