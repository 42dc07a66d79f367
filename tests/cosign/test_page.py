"""The lines of docs/verdicts.md for cosign, typed as written."""

from pathlib import Path

from tests.clients.trees import cleared_image, refused_image
from tests.cosign.cosign import Cosign
from tests.policy.attestation.page import commands, type_in
from tests.policy.live import LiveGateway


def test_every_command_ends_well(live: LiveGateway, cosign: Cosign, tmp_path: Path) -> None:
    """cosign 3 has its lines, cosign 2 the one with a trusted root; with a refused image each fails."""
    live.push(tmp_path / "good", "team/good:v1", cleared_image())
    live.push(tmp_path / "bad", "team/bad:v1", refused_image())
    is_second = cosign.program.name.startswith("v2")
    lines = [line for line in commands("cosign") if ("--trusted-root" in line) is is_second]
    refused = [line.replace("team/good", "team/bad") for line in lines]
    done = [type_in(cosign.home, live, line, cosign.environment) for line in (*lines, *refused)]
    assert [bool(each.returncode) for each in done] == [*([False] * len(lines)), *([True] * len(refused))]
    assert lines
