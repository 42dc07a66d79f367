"""The door to a deployment looks at the content itself: a verdict is no proof that the bytes are still there."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from policy.gateway.checks import Checks
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.errors import Denied, ManifestBlobUnknown
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName, Tag
from tests.policy.images_made import MadeImage, artifact, bad, good, index
from tests.policy.lab import (
    READER,
    TEAM,
    V1,
    Lab,
    open_lab,
)
from tests.registry.content.test_missing_content import HARM, harm
from tests.registry.open_services import PUSHER

GOOD = good().digest
LAYERS = [Digest.of(content) for content in good().layers]


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """With a cleared image in it."""
    lab.pushed(good())
    return lab


def allowed(lab: Lab, digest: Digest = GOOD) -> bool:
    """Whether a deployment may start from it."""
    return lab.run(lab.gate.standing(READER, TEAM, digest)).decision.allowed


def reason(lab: Lab, digest: Digest = GOOD) -> str:
    """Why it may not."""
    standing = lab.run(lab.gate.standing(READER, TEAM, digest))
    assert standing.verdict is not None
    assert (standing.verdict.state, standing.decision.allowed) == (State.INCONCLUSIVE, False)
    return standing.decision.message


@pytest.mark.parametrize("how", HARM)
@pytest.mark.parametrize("content", good().blobs, ids=["config", "layer 0", "layer 1"])
def test_nothing_is_deployed_whose_content_is_not_there(lab: Lab, content: bytes, how: str) -> None:
    """At once, and until it was pushed again."""
    assert allowed(lab)
    harm(lab.data, how, content)
    assert str(Digest.of(content)) in reason(lab)
    lab.run(lab.push_blob(content))
    assert allowed(lab)


def test_the_reason_says_what_is_missing_and_what_to_do(lab: Lab) -> None:
    """Gone, or of how many bytes how many are there."""
    harm(lab.data, "gone", good().config)
    harm(lab.data, "emptied", good().layers[1])
    size = len(good().layers[1])
    assert reason(lab) == (
        f"team/app@{good().digest} is not cleared by policy azureml-2019-07: the configuration "
        f"({Digest.of(good().config)}) is not in this registry any more: push it again; layer 1 ({LAYERS[1]}) "
        f"has 0 instead of {size} bytes in this registry: push it again"
    )


def test_a_person_and_a_program_are_told(lab: Lab) -> None:
    """The answer of the check has it among its findings."""
    harm(lab.data, "gone", good().layers[0])
    image = ImageReference.parse(f"localhost/{TEAM}:v1")
    answer = lab.run(Checks(lab.metadata, lab.gate, lab.storage).check(READER, image)).document()
    assert (answer["allowed"], answer["verdict"]) == (False, "inconclusive")
    assert (answer["findings"][0]["rule"], answer["findings"][0]["result"]) == ("content", "error")


def test_an_index_needs_the_content_of_every_image_that_counts(lab: Lab) -> None:
    """The reason says which child lacks it; attestations are left aside."""
    older = good(conda="4.5.11")
    aside = artifact()
    for made in (older, aside):
        lab.pushed(made, None)
    inner = index((older.manifest, "linux/arm64"), (aside.manifest, "unknown/unknown"))
    lab.run(lab.push_manifest(inner, None))
    both = lab.run(lab.push_manifest(index((good().manifest, "linux/amd64"), (inner, "")), V1)).digest
    harm(lab.data, "gone", aside.layers[0])
    assert allowed(lab, both)
    harm(lab.data, "gone", older.layers[1])
    assert f"linux/arm64: layer 1 ({Digest.of(older.layers[1])}) is not in this registry" in reason(lab, both)


@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
def test_no_mode_deploys_what_is_not_there(tmp_path: Path, mode: str) -> None:
    """Modes are about policies; what is gone cannot start."""
    with open_lab(tmp_path / "data", mode=mode) as lab:
        lab.pushed(good())
        harm(lab.data, "gone", good().layers[1])
        assert not allowed(lab)


def test_a_refused_image_is_not_deployed_either(lab: Lab) -> None:
    """Whatever may excuse its findings."""
    lab.pushed(bad(), None)
    harm(lab.data, "cut", bad().layers[1])
    assert "Python 3.7.0" in reason(lab, bad().digest)


def test_another_image_cannot_be_pushed_upon_what_is_missing(lab: Lab) -> None:
    """Though everything about its layers is known."""
    harm(lab.data, "gone", good().layers[0])
    document = json.loads(good().manifest) | {"annotations": {"built": "again"}}
    with pytest.raises(ManifestBlobUnknown):
        lab.run(lab.push_manifest(json.dumps(document).encode(), Tag("again")))


def test_a_foreign_layer_that_was_never_here_is_not_missed(tmp_path: Path) -> None:
    """Runtimes fetch it from where the manifest says; that it was read proves what it is."""
    document = json.loads(good().manifest)
    document["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    made: MadeImage = replace(good(), manifest=json.dumps(document).encode())
    with open_lab(tmp_path / "data") as lab:
        lab.run(lab.push_blob(good().layers[0], RepositoryName("elsewhere")))
        for content in (made.config, made.layers[1]):
            lab.run(lab.push_blob(content))
        pushed = lab.run(lab.push_manifest(made.manifest))
        assert allowed(lab, pushed.digest)


def test_who_may_push_is_told_the_same(lab: Lab) -> None:
    """No role makes a deployment start; pulls of what is there go on."""
    harm(lab.data, "gone", good().layers[0])
    assert not lab.run(lab.gate.standing(PUSHER, TEAM, good().digest)).decision.allowed
    assert lab.run(lab.manifests.pull(READER, TEAM, V1)).digest == good().digest
    with pytest.raises(Denied):
        lab.run(lab.blobs.pull(READER, TEAM, lab.run(lab.push_blob(b"unnamed"))))
