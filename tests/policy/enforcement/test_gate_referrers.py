"""Referrers of what is withheld: who may not pull an image gets nothing that refers to it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from policy.state import State
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from registry.oci.names import Tag
from tests.policy.enforcement.test_gate_blobs import is_open, wrapping
from tests.policy.images_made import MadeImage, artifact, bad, good, index
from tests.policy.lab import (
    READER,
    TEAM,
    V1,
    Lab,
    open_lab,
)
from tests.registry.open_services import PUSHER

SIGNATURE = b"a signature"


def referring(made: MadeImage, subject: bytes) -> MadeImage:
    """The same manifest with a subject."""
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": Digest.of(subject), "size": 1}
    return replace(made, manifest=json.dumps(json.loads(made.manifest) | {"subject": entry}).encode())


def signature(subject: bytes, content: bytes = SIGNATURE) -> MadeImage:
    """An artifact that refers to a manifest."""
    return referring(wrapping(content, config=b"its own"), subject)


def is_served(lab: Lab, reference: Tag | Digest) -> bool:
    """Whether a reader gets the manifest."""
    try:
        lab.run(lab.manifests.pull(READER, TEAM, reference))
    except Denied:
        return False
    return True


def listed(lab: Lab, subject: bytes) -> int | None:
    """How many referrers a reader is shown; `None` when the list is withheld."""
    try:
        return len(lab.run(lab.referrers.page(READER, TEAM, Digest.of(subject), "", None, "")).entries)
    except Denied:
        return None


def test_a_withheld_images_referrers_are_withheld_with_it(lab: Lab) -> None:
    """List, manifest by tag and digest, and blobs."""
    lab.pushed(bad(), None)
    made = signature(bad().manifest)
    lab.pushed(made, Tag("signature"))
    assert listed(lab, bad().manifest) is None
    assert not any(is_served(lab, reference) for reference in (Tag("signature"), made.digest))
    assert not any(is_open(lab, content) for content in made.blobs)


def test_the_refusals_say_of_what_it_is_a_referrer(lab: Lab) -> None:
    """With the finding that withholds the subject."""
    lab.pushed(bad(), None)
    lab.pushed(signature(bad().manifest), V1)
    told = rf"team/app:v1 refers to team/app@{bad().digest}, which is withheld: .*Python 3\.7\.0"
    with pytest.raises(Denied, match=told):
        lab.run(lab.manifests.pull(READER, TEAM, V1))
    with pytest.raises(Denied, match=rf"the referrers of {bad().digest} are withheld with it: .*Python 3\.7\.0"):
        lab.run(lab.referrers.page(READER, TEAM, bad().digest, "", None, ""))


def test_a_cleared_images_referrers_are_served(lab: Lab) -> None:
    """As before."""
    lab.pushed(good(), None)
    made = signature(good().manifest)
    lab.pushed(made, V1)
    assert listed(lab, good().manifest) == 1
    assert is_served(lab, V1)
    assert all(is_open(lab, content) for content in made.blobs)


def test_an_absent_subject_withholds_nothing(lab: Lab) -> None:
    """Referrers may come before what they refer to; from then on its verdict counts."""
    lab.pushed(signature(bad().manifest), V1)
    assert (listed(lab, bad().manifest), is_served(lab, V1), is_open(lab, SIGNATURE)) == (1, True, True)
    lab.pushed(bad(), None)
    assert (listed(lab, bad().manifest), is_served(lab, V1), is_open(lab, SIGNATURE)) == (None, False, False)
    lab.run(lab.manifests.delete(TEAM, bad().digest))
    assert (listed(lab, bad().manifest), is_served(lab, V1), is_open(lab, SIGNATURE)) == (1, True, True)


def test_the_rule_goes_through_chains(lab: Lab) -> None:
    """A signature of an SBOM of a refused image tells of the image as well."""
    lab.pushed(bad(), None)
    made = signature(bad().manifest)
    for number in range(5):
        lab.pushed(made, None)
        made = signature(made.manifest, b"number %d" % number)
    lab.pushed(made, V1)
    assert not is_served(lab, V1)
    assert listed(lab, made.manifest) is None


def test_a_chain_that_is_too_long_is_not_followed(lab: Lab) -> None:
    """Nobody knows what is at its end, so nothing beyond is served."""
    made = good()
    for number in range(20):
        lab.pushed(made, None)
        made = signature(made.manifest, b"number %d" % number)
    lab.pushed(made, V1)
    with pytest.raises(Denied, match="through more than 16 others"):
        lab.run(lab.manifests.pull(READER, TEAM, V1))


def test_the_rule_holds_for_images_and_indexes_too(lab: Lab) -> None:
    """A cleared image that refers to a refused one is withheld from readers and from deployments."""
    lab.pushed(bad(), None)
    made = referring(good(), bad().manifest)
    both = index((good().manifest, "linux/amd64"), subject=json.loads(made.manifest)["subject"])
    lab.pushed(made, V1)
    lab.pushed(good(), None)
    lab.run(lab.push_manifest(both, Tag("both")))
    assert not any(is_served(lab, reference) for reference in (V1, Tag("both")))
    standing = lab.run(lab.gate.standing(PUSHER, TEAM, made.digest))
    assert standing.verdict is not None
    assert (standing.verdict.state, standing.decision.allowed) == (State.CLEARED, False)


def test_who_may_push_sees_everything(lab: Lab) -> None:
    """To look at what was refused, and at what others say of it."""
    lab.pushed(bad(), None)
    made = signature(bad().manifest)
    lab.pushed(made, V1)
    assert len(lab.run(lab.referrers.page(PUSHER, TEAM, bad().digest, "", None, "")).entries) == 1
    assert lab.run(lab.manifests.pull(PUSHER, TEAM, V1)).raw == made.manifest
    assert lab.run(lab.blobs.pull(PUSHER, TEAM, Digest.of(SIGNATURE))).size == len(SIGNATURE)


@pytest.mark.parametrize("mode", ["warn", "audit"])
def test_modes_that_withhold_nothing_serve_referrers(tmp_path: Path, mode: str) -> None:
    """The rule is about what is withheld."""
    with open_lab(tmp_path / "data", mode=mode) as lab:
        lab.pushed(bad(), None)
        lab.pushed(signature(bad().manifest), V1)
        assert (listed(lab, bad().manifest), is_served(lab, V1), is_open(lab, SIGNATURE)) == (1, True, True)


def test_a_blob_that_others_name_as_well_is_not_closed(lab: Lab) -> None:
    """The empty configuration is named by every artifact."""
    lab.pushed(bad(), None)
    lab.pushed(referring(wrapping(SIGNATURE), bad().manifest), None)
    lab.pushed(wrapping(b"a file"), None)
    assert [is_open(lab, content) for content in (b"{}", b"a file", SIGNATURE)] == [True, True, False]


def test_a_list_agrees_with_each_manifest(lab: Lab) -> None:
    """Asked for many at a time, the gate withholds what it withholds one by one."""
    made = [artifact(), signature(bad().manifest), signature(good().manifest, b"other"), good(), bad()]
    digests = [lab.pushed(item, None).digest for item in made]
    withheld = lab.run(lab.gate.withheld(READER, TEAM, digests))
    assert [digest in withheld for digest in digests] == [not is_served(lab, digest) for digest in digests]
    assert len(withheld) == 2
