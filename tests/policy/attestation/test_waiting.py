"""What was pushed while its verdict was pending waits for that, until a statement is recorded of it."""

from pathlib import Path

import pytest

from policy.assessment.reinspect import forget_image
from policy.attestation.attestations import Attestations
from policy.attestation.settings import AttestSettings
from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from registry.oci.digest import Digest
from tests.policy.images_made import artifact, good
from tests.policy.lab import TEAM, Clock, Lab, open_lab


@pytest.mark.parametrize(("case", "waiting"), [("pending", 1), ("judged", 1), ("artifact", 0), ("gone", 0)])
def test_what_no_verdict_comes_of_waits_no_longer(tmp_path: Path, case: str, waiting: int) -> None:
    """An artifact has no verdict to wait for, and what is deleted before one came neither."""
    with open_lab(tmp_path / "data") as lab:
        digest = manifest_that_is(case, lab)
    with open_lab(tmp_path / "data") as lab:
        ring = KeyRing(lab.data, VERDICT_KEY_FILE)
        attestations = Attestations(lab.metadata, lab.gate, ring, AttestSettings, Clock())
        attestations.waiting.put((TEAM, digest), None)
        lab.run(attestations.behind([(TEAM, digest)]))
        assert len(attestations.waiting) == waiting


def manifest_that_is(case: str, lab: Lab) -> Digest:
    """Its digest."""
    digest = lab.pushed(artifact() if case == "artifact" else good()).digest
    lab.results.settle()
    if case in {"pending", "gone"}:
        lab.run(forget_image(lab.storage, lab.metadata, lab.results, TEAM, digest))
    if case == "gone":
        lab.run(lab.manifests.delete(TEAM, digest))
    return digest
