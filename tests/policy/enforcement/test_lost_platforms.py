"""An index is cleared with all its platforms: when one was deleted it is so no longer, at every door."""

import json
from pathlib import Path

import pytest

from policy.gateway.checks import Checks
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName
from tests.policy.images_made import artifact, good, index
from tests.policy.lab import (
    READER,
    TEAM,
    V1,
    Lab,
    open_lab,
)
from tests.registry.open_services import PUSHER

OTHER = RepositoryName("team/other")
ARM = good(conda="4.5.11")


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """With an index of two platforms."""
    both(lab, TEAM)
    return lab


def both(lab: Lab, repository: RepositoryName) -> Digest:
    """Push the index with its images."""
    lab.pushed(good(), None, repository)
    lab.pushed(ARM, None, repository)
    raw = index((good().manifest, "linux/amd64"), (ARM.manifest, "linux/arm64"))
    return lab.run(lab.push_manifest(raw, V1, repository)).digest


def drop(lab: Lab, digest: Digest = ARM.digest) -> None:
    """Delete a child by its digest."""
    lab.run(lab.manifests.delete(TEAM, digest))


def test_it_is_cleared_no_longer(lab: Lab) -> None:
    """The verdict says which platform is gone."""
    digest = both(lab, TEAM)
    assert lab.verdict(digest).state is State.CLEARED
    drop(lab)
    verdict = lab.verdict(digest)
    assert (verdict.state, verdict.findings[0].rule) == (State.INCONCLUSIVE, "content")
    assert verdict.reasons[0] == (
        f"linux/arm64: manifest {ARM.digest} is not in this repository any more: push it again"
    )


def test_a_check_says_which_platform_is_gone(lab: Lab) -> None:
    """Denied, with the sentence of the verdict, until it is pushed again."""
    drop(lab)
    image = ImageReference.parse(f"localhost/{TEAM}:v1")
    answer = lab.run(Checks(lab.metadata, lab.gate, lab.storage).check(READER, image)).document()
    assert (answer["allowed"], answer["verdict"]) == (False, "inconclusive")
    assert answer["findings"][0]["message"].startswith("linux/arm64: manifest")
    lab.run(lab.push_manifest(ARM.manifest, None))
    assert lab.run(Checks(lab.metadata, lab.gate, lab.storage).check(READER, image)).document()["allowed"]


def test_readers_do_not_get_it(lab: Lab) -> None:
    """What is left of it they get by its digest; who may push gets everything."""
    assert lab.run(lab.manifests.pull(READER, TEAM, V1)).raw
    drop(lab)
    with pytest.raises(Denied, match="linux/arm64: manifest"):
        lab.run(lab.manifests.pull(READER, TEAM, V1))
    assert lab.run(lab.manifests.pull(READER, TEAM, good().digest)).raw == good().manifest
    assert lab.run(lab.manifests.pull(PUSHER, TEAM, V1)).raw


def test_the_list_of_referrers_leaves_it_out(lab: Lab) -> None:
    """It is withheld there as at its own door."""
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": good().digest, "size": 1}
    raw = index((good().manifest, "linux/amd64"), (ARM.manifest, "linux/arm64"), subject=subject)
    digest = lab.run(lab.push_manifest(raw, None)).digest
    assert not lab.run(lab.gate.withheld(READER, TEAM, [digest]))
    drop(lab)
    assert set(lab.run(lab.gate.withheld(READER, TEAM, [digest]))) == {digest}


def test_other_repositories_keep_theirs(lab: Lab) -> None:
    """The same index is whole there."""
    digest = both(lab, OTHER)
    drop(lab)
    assert lab.verdict(digest, OTHER).state is State.CLEARED
    assert lab.run(lab.manifests.pull(READER, OTHER, V1)).digest == digest


def test_a_platform_of_a_nested_index_is_missed_as_well(lab: Lab) -> None:
    """Wherever below."""
    inner = index((ARM.manifest, "linux/arm64"))
    lab.run(lab.push_manifest(inner, None))
    outer = index((good().manifest, "linux/amd64"), (inner, ""))
    digest = lab.run(lab.push_manifest(outer, V1)).digest
    assert lab.verdict(digest).state is State.CLEARED
    drop(lab)
    assert lab.verdict(digest).reasons[0].startswith(f"linux/arm64: manifest {ARM.digest}")


def test_what_does_not_count_may_go(lab: Lab) -> None:
    """Attestations, and platforms that the policy leaves out."""
    aside = artifact()
    lab.pushed(aside, None)
    raw = index((good().manifest, "linux/amd64"), (aside.manifest, "unknown/unknown"))
    digest = lab.run(lab.push_manifest(raw, V1)).digest
    drop(lab, aside.digest)
    assert lab.verdict(digest).state is State.CLEARED
    assert lab.run(lab.manifests.pull(READER, TEAM, V1)).digest == digest


def test_a_child_without_a_type_is_a_manifest_all_the_same(lab: Lab) -> None:
    """It was pushed as one: it is judged, deployed and missed as the others."""
    document = json.loads(index((good().manifest, "linux/amd64"), (ARM.manifest, "linux/arm64")))
    document["manifests"][1]["mediaType"] = ""
    digest = lab.run(lab.push_manifest(json.dumps(document).encode(), V1)).digest
    assert lab.run(lab.gate.standing(READER, TEAM, digest)).decision.allowed
    drop(lab)
    assert lab.verdict(digest).reasons[0].startswith("linux/arm64: manifest")


@pytest.mark.parametrize("mode", ["warn", "audit"])
def test_other_modes_hand_it_out_and_deploy_nothing(tmp_path: Path, mode: str) -> None:
    """As with all content that is gone."""
    with open_lab(tmp_path / "data", mode=mode) as lab:
        digest = both(lab, TEAM)
        drop(lab)
        assert lab.run(lab.manifests.pull(READER, TEAM, V1)).digest == digest
        assert not lab.run(lab.gate.standing(READER, TEAM, digest)).decision.allowed
