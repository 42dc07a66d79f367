"""The gate in the registry: real pushes and pulls, layers read by real workers."""

import itertools
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from policy.assessment.inspector import CURRENT
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.counters import FORGOTTEN, count
from policy.results.manifests import InspectedManifest
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from registry.oci.names import RepositoryName, Tag
from tests.policy.images_made import (
    MadeImage,
    artifact,
    bad,
    base,
    damaged,
    descriptor,
    good,
    image,
    index,
    layer,
    miniconda,
    noise,
)
from tests.policy.lab import (
    READER,
    TEAM,
    V1,
    Lab,
    open_lab,
)
from tests.registry.open_services import PUSHER


def refusal(lab: Lab, reference: Tag | Digest, repository: RepositoryName = TEAM) -> str:
    """What a reader is told."""
    with pytest.raises(Denied) as caught:
        lab.run(lab.manifests.pull(READER, repository, reference))
    return caught.value.message


def test_a_good_image_is_cleared_and_served(lab: Lab) -> None:
    """A reader pulls it by tag and digest, with its blobs."""
    pushed = lab.pushed(good())
    assert pushed.warnings == ()
    assert lab.run(lab.manifests.pull(READER, TEAM, V1)).raw == good().manifest
    assert lab.run(lab.manifests.pull(READER, TEAM, pushed.digest)).raw == good().manifest
    for content in good().blobs:
        assert lab.run(lab.blobs.pull(READER, TEAM, Digest.of(content))).size == len(content)


def test_a_bad_image_is_kept_and_withheld(lab: Lab) -> None:
    """The push stands with a warning; who may push pulls it; a reader is told what was found where and is needed."""
    pushed = lab.pushed(bad())
    assert "team/app:v1 is not cleared by policy azureml-2019-07: Python 3.7.0 found" in pushed.warnings[0]
    assert lab.run(lab.manifests.pull(PUSHER, TEAM, V1)).raw == bad().manifest
    assert refusal(lab, V1) == (
        "team/app:v1 is not cleared by policy azureml-2019-07: Python 3.7.0 found at "
        "opt/miniconda/conda-meta/python-3.7.0-h0_0.json (layer 1); needs 3.5.x or 3.6.x"
    )
    assert refusal(lab, pushed.digest).startswith(f"team/app@{pushed.digest} is not cleared")


def test_the_refusal_has_a_detail_for_programs(lab: Lab) -> None:
    """The detail names verdict, policy and findings with evidence."""
    lab.pushed(bad())
    with pytest.raises(Denied) as caught:
        lab.run(lab.manifests.pull(READER, TEAM, V1))
    detail = caught.value.detail
    assert (detail["verdict"], detail["policy"]["name"]) == ("refused", "azureml-2019-07")
    assert detail["findings"][0]["evidence"][0]["path"].endswith("python-3.7.0-h0_0.json")


def test_blobs_of_a_bad_image_alone_are_withheld(lab: Lab) -> None:
    """A layer shared with a cleared image is served, one that only refused images use is not."""
    lab.pushed(good())
    lab.pushed(bad(), Tag("v2"))
    shared, own = (Digest.of(content) for content in bad().layers)
    assert lab.run(lab.blobs.pull(READER, TEAM, shared)).digest == shared
    with pytest.raises(Denied, match=r"is not cleared by policy azureml-2019-07: only images that are not cleared"):
        lab.run(lab.blobs.pull(READER, TEAM, own))
    assert lab.run(lab.blobs.pull(PUSHER, TEAM, own)).digest == own


def test_a_blob_that_no_manifest_uses_is_withheld(lab: Lab) -> None:
    """Bytes cannot be handed to readers past the gate by leaving the manifest out."""
    digest = lab.run(lab.push_blob(layer(base())))
    with pytest.raises(Denied, match="no manifest of this repository uses it"):
        lab.run(lab.blobs.pull(READER, TEAM, digest))


def test_a_blob_decision_follows_a_later_push(lab: Lab) -> None:
    """A refused blob is served as soon as a cleared image uses it, and not from memory."""
    first = Digest.of(good().layers[0])
    lab.pushed(image(layer(base())))
    with pytest.raises(Denied):
        lab.run(lab.blobs.pull(READER, TEAM, first))
    lab.pushed(good())
    assert lab.run(lab.blobs.pull(READER, TEAM, first)).digest == first


def test_a_damaged_image_is_inconclusive_and_withheld(lab: Lab) -> None:
    """What cannot be read is not cleared, and the reason is said."""
    pushed = lab.pushed(damaged())
    assert lab.verdict(pushed.digest).state is State.INCONCLUSIVE
    assert "cannot be inspected: layer 1" in refusal(lab, V1)


def test_an_artifact_is_stored_and_served_but_never_referenced(lab: Lab) -> None:
    """A chart is not the policy's business until somebody wants to deploy it."""
    pushed = lab.pushed(artifact())
    assert lab.run(lab.manifests.pull(READER, TEAM, V1)).raw == artifact().manifest
    standing = lab.run(lab.gate.standing(READER, TEAM, pushed.digest))
    assert not standing.decision.allowed
    assert "this is not an image" in standing.decision.message


def test_an_image_with_invented_layer_types_is_no_artifact(lab: Lab) -> None:
    """Some runtimes go by the layer's first bytes, so neither does its type make an image anything else."""
    files = (layer(base()), layer(miniconda(python="3.7.0")))
    pushed = lab.pushed(image(*files, kind="application/vnd.example.data"))
    assert lab.verdict(pushed.digest).state is State.INCONCLUSIVE
    assert "cannot be inspected" in refusal(lab, V1)


def test_a_signature_with_an_image_configuration_is_an_artifact(lab: Lab) -> None:
    """Signing tools store JSON as a layer beside the configuration of an empty image."""
    config, content = b"{}", b'{"critical": {}}'
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor(content, "application/vnd.dev.cosign.simplesigning.v1+json")],
    }
    pushed = lab.pushed(MadeImage(json.dumps(document).encode(), config, (content,)))
    assert lab.verdict(pushed.digest).state is State.NOT_APPLICABLE


def test_an_index_is_judged_child_by_child(lab: Lab) -> None:
    """One refused child refuses the index; the good child alone is served."""
    both = index((good().manifest, "linux/amd64"), (bad().manifest, "linux/arm64"))
    lab.pushed(good(), None)
    lab.pushed(bad(), None)
    lab.run(lab.push_manifest(both))
    assert "linux/arm64: Python 3.7.0 found" in refusal(lab, V1)
    assert lab.run(lab.manifests.pull(READER, TEAM, good().digest)).raw == good().manifest
    assert "Python 3.7.0" in refusal(lab, bad().digest)


def test_an_attestation_child_is_no_way_past_the_gate(lab: Lab) -> None:
    """An image that poses as an attestation does not spoil the index, but neither it nor its layer is served."""
    disguised = index((good().manifest, "linux/amd64"), (bad().manifest, "unknown/unknown"))
    lab.pushed(good(), None)
    lab.pushed(bad(), None)
    lab.run(lab.push_manifest(disguised))
    assert lab.run(lab.manifests.pull(READER, TEAM, V1)).raw == disguised
    assert "Python 3.7.0" in refusal(lab, bad().digest)
    with pytest.raises(Denied):
        lab.run(lab.blobs.pull(READER, TEAM, Digest.of(bad().layers[1])))


def test_only_who_may_push_there_may_look(lab: Lab) -> None:
    """A role that reaches other repositories is a reader here."""
    lab.pushed(bad())
    elsewhere = type(PUSHER)("9", "other", PUSHER.role, ("lab/*",))
    with pytest.raises(Denied):
        lab.run(lab.manifests.pull(elsewhere, TEAM, V1))


def test_a_shared_layer_is_opened_once(lab: Lab) -> None:
    """Pushing an image that shares its layers opens no layer byte."""
    lab.pushed(good())
    before = lab.gate.inspector.workers.counters.bytes_opened
    lab.run(lab.push_manifest(good().manifest, Tag("again")))
    lab.run(lab.push_blob(good().config, RepositoryName("other/app")))
    for content in good().layers:
        lab.run(lab.blobs.mount(PUSHER, RepositoryName("other/app"), Digest.of(content), TEAM, lambda _name: True))
    lab.run(lab.push_manifest(good().manifest, V1, RepositoryName("other/app")))
    assert lab.gate.inspector.workers.counters.bytes_opened == before > 0


def test_a_large_layer_is_read_while_it_arrives(lab: Lab) -> None:
    """When the manifest comes, nothing of the layer is left to be opened."""
    big = layer(miniconda() | {"opt/data": noise(2_000_000)})
    made = image(layer(base()), big)
    for content in made.blobs:
        lab.run(lab.push_blob(content, count=20))
    job = lab.gate.inspector.workers.outstanding(Digest.of(big))
    if job is not None:
        job.future.result()
    opened = lab.gate.inspector.workers.counters.bytes_opened
    lab.run(lab.push_manifest(made.manifest))
    assert opened == len(big)
    assert lab.verdict(made.digest).state is State.CLEARED


def test_verdicts_survive_a_restart_without_reading_layers(tmp_path: Path) -> None:
    """Another process knows what the first one saw."""
    with open_lab(tmp_path / "data") as first:
        first.pushed(bad())
        said = refusal(first, V1)
    with open_lab(tmp_path / "data") as second:
        assert refusal(second, V1) == said
        assert second.gate.inspector.workers.counters.layers_opened == 0


def test_losing_the_ledger_loses_nothing(tmp_path: Path) -> None:
    """Without its results the gate looks again, and says the same bytes."""
    with open_lab(tmp_path / "data") as first:
        first.pushed(good())
        before = first.verdict(good().digest).to_bytes()
    for path in (tmp_path / "data").glob("policy.db*"):
        path.unlink()
    with open_lab(tmp_path / "data") as second:
        second.run(second.gate.catch_up())
        assert second.gate.inspector.workers.counters.layers_opened == len(good().layers)
        assert second.verdict(good().digest).to_bytes() == before


def test_newer_detectors_look_again_in_the_background(lab: Lab) -> None:
    """What earlier detectors saw stands until the present ones have looked; indexes follow."""
    pushed = lab.pushed(good())
    both = lab.run(lab.push_manifest(index((good().manifest, "linux/amd64")), Tag("both"))).digest
    seen = lab.results.read(inspected_manifests.find, pushed.digest, CURRENT)
    assert seen is not None
    earlier = replace(seen, detectors="earlier@1", essence=seen.essence.replace("3.6.8", "3.7.0"))
    earlier = replace(earlier, body=seen.body.replace(b"3.6.8", b"3.7.0"))
    lab.results.write(forget_as_another_process, pushed.digest, earlier)
    time.sleep(0.3)
    lab.gate.generation()
    assert {lab.verdict(digest).state for digest in (pushed.digest, both)} == {State.REFUSED}
    lab.run(lab.gate.catch_up())
    assert {lab.verdict(digest).state for digest in (pushed.digest, both)} == {State.CLEARED}
    assert lab.run(lab.manifests.pull(READER, TEAM, Tag("both"))).digest == both


def forget_as_another_process(connection: Connection, digest: Digest, earlier: InspectedManifest) -> None:
    """Put what earlier detectors saw in the place of what the present ones did."""
    inspected_manifests.forget(connection, digest)
    verdicts.forget(connection, digest)
    inspected_manifests.save(connection, [earlier])
    count(connection, FORGOTTEN, 1)


def test_a_push_does_not_wait_longer_than_it_may(tmp_path: Path) -> None:
    """With no time to wait the push is accepted as pending, which a reader cannot pull; later it is judged."""
    with open_lab(tmp_path / "data", wait_seconds=0) as lab:
        pushed = lab.pushed(good())
        assert "its layers are still being inspected" in pushed.warnings[0]
        assert "its layers are still being inspected" in refusal(lab, V1)
        lab.run(lab.gate.catch_up())
        assert lab.run(lab.manifests.pull(READER, TEAM, V1)).raw == good().manifest


@pytest.mark.parametrize(
    ("mode", "warned", "served"), [("enforce", True, False), ("warn", True, True), ("audit", False, True)]
)
def test_modes(tmp_path: Path, mode: str, warned: bool, served: bool) -> None:
    """Each mode tells the pusher and serves the reader as it says."""
    with open_lab(tmp_path / "data", mode=mode) as lab:
        assert bool(lab.pushed(bad()).warnings) is warned
        if served:
            assert bool(lab.run(lab.manifests.pull(READER, TEAM, V1)).warnings) is warned
        else:
            assert refusal(lab, V1)


def test_mode_reject_refuses_the_push(tmp_path: Path) -> None:
    """Nothing is recorded, and the pusher's client prints the reason."""
    with open_lab(tmp_path / "data", mode="reject") as lab:
        with pytest.raises(Denied, match=r"team/app:v1 is not cleared by policy azureml-2019-07: Python 3\.7\.0"):
            lab.pushed(bad())
        lab.pushed(good())
        assert lab.run(lab.manifests.pull(READER, TEAM, V1)).raw == good().manifest


def test_bindings_give_repositories_their_own_policy(tmp_path: Path) -> None:
    """The longest pattern that matches names policy and mode."""
    bindings = [{"repositories": "lab/*", "policy": "azureml-2020-09"}, {"repositories": "lab/old/*", "mode": "audit"}]
    with open_lab(tmp_path / "data", bindings=bindings) as lab:
        lab.pushed(bad())
        lab.pushed(bad(), repository=RepositoryName("lab/new"))
        assert refusal(lab, V1)
        assert lab.run(lab.manifests.pull(READER, RepositoryName("lab/new"), V1)).raw == bad().manifest


def test_referrers_that_are_withheld_are_not_listed(lab: Lab) -> None:
    """A refused image that refers to another is not shown to a reader."""
    lab.pushed(good())
    lab.pushed(bad(), None)
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": good().digest, "size": 1}
    lab.run(lab.push_manifest(index((bad().manifest, "linux/amd64"), subject=subject), None))
    page = lab.run(lab.referrers.page(READER, TEAM, good().digest, "", None, ""))
    assert not page.entries
    assert len(lab.run(lab.referrers.page(PUSHER, TEAM, good().digest, "", None, "")).entries) == 1


@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
def test_a_list_is_decided_as_each_manifest_is(tmp_path: Path, mode: str) -> None:
    """Cleared, refused and unknown ones, for who may only pull and for who may push; known and not yet known."""
    with open_lab(tmp_path / "data", mode=mode) as lab:
        digests = [lab.pushed(good(), None).digest, lab.pushed(bad(), None).digest, Digest.of(b"absent")]
        for principal, forget in itertools.product((READER, PUSHER), (False, True)):
            if forget:
                lab.gate.judge.forget_all()
            withheld = lab.run(lab.gate.withheld(principal, TEAM, digests))
            pulls = [lab.run(lab.gate.before_manifest_pull(principal, TEAM, digest, None)) for digest in digests]
            assert [digest in withheld for digest in digests] == [not pull.allowed for pull in pulls]
            assert bool(withheld) == (principal is READER and mode == "enforce")


def test_another_manifest_of_the_same_image_has_the_same_facts(lab: Lab) -> None:
    """Whatever else it says of it: configuration and layers make the image."""
    first = lab.pushed(good())
    document = json.loads(good().manifest) | {"annotations": {"built": "again"}}
    second = lab.run(lab.push_manifest(json.dumps(document).encode(), Tag("again")))
    assert first.digest != second.digest
    facts = [lab.run(lab.gate.image_facts(TEAM, item.digest)) for item in (first, second)]
    assert facts[0] == facts[1]
    assert lab.verdict(second.digest).digest == second.digest
