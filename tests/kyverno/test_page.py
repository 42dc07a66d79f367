"""The lines of docs/verdicts.md for Kyverno, typed as written."""

from pathlib import Path

from tests.clients.trees import cleared_image, refused_image
from tests.kyverno.kyverno import ASK, Kyverno
from tests.policy.attestation.page import type_in
from tests.policy.live import LiveGateway


def test_every_command_ends_well(live: LiveGateway, kyverno: Kyverno, tmp_path: Path) -> None:
    """With a refused image it fails."""
    live.push(tmp_path / "good", "team/good:v1", cleared_image())
    live.push(tmp_path / "bad", "team/bad:v1", refused_image())
    lines = (ASK, ASK.replace("team/good", "team/bad"))
    done = [type_in(kyverno.home, live, line, kyverno.environment) for line in lines]
    assert [kyverno.told(each) for each in done] == ["pass", "fail"]
