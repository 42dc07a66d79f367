"""What is an image is decided by bytes: a test for each row of the table in docs/rules.md."""

import bz2
import gzip
import json
import lzma
from dataclasses import replace
from typing import Any

import pytest

from policy.assessment.verdict import Verdict
from policy.state import State
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from tests.policy.artifacts_made import ARTIFACTS, empty_image, made, tarred
from tests.policy.images_made import LAYER, MadeImage, bad, descriptor, good
from tests.policy.lab import READER, TEAM, V1, Lab

DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
WORDS = [
    "application/octet-stream",
    "application/json",
    "text/html",
    "text/html; charset=utf-8",
    "",
    "application/vnd.oci.image.config.v1+JSON",
    "APPLICATION/VND.DOCKER.CONTAINER.IMAGE.V1+JSON",
    "application/vnd.oci.image.config.v1+json; charset=utf-8",
    "application/vnd.oci.empty.v1+json",
    "application/vnd.cncf.helm.config.v1+json",
    "application/vnd.buildkit.cacheconfig.v0",
]


def called(image: MadeImage, config_type: str | None, kind: str = "", layer: str = "", **members: Any) -> MadeImage:
    """The image with a configuration, a manifest and layers of other types; `None` leaves the type out."""
    document = json.loads(image.manifest) | members
    document["config"]["mediaType"] = config_type
    if config_type is None:
        del document["config"]["mediaType"]
    document["mediaType"] = kind or document["mediaType"]
    for item in document["layers"]:
        item["mediaType"] = layer or item["mediaType"]
    return replace(image, manifest=json.dumps(document).encode())


def packed(image: MadeImage, pack: Any, kind: str = LAYER) -> MadeImage:
    """The image with its layers compressed otherwise."""
    layers = tuple(pack(gzip.decompress(item)) for item in image.layers)
    document = json.loads(image.manifest)
    document["layers"] = [descriptor(item, kind) for item in layers]
    return MadeImage(json.dumps(document).encode(), image.config, layers)


def judged(lab: Lab, image: MadeImage) -> Verdict:
    """The verdict on an image that is pushed whole; a reader gets it when it is not withheld, and else nothing."""
    verdict = lab.verdict(lab.pushed(image).digest)
    if verdict.state in {State.REFUSED, State.INCONCLUSIVE}:
        with pytest.raises(Denied):
            lab.run(lab.manifests.pull(READER, TEAM, V1))
        with pytest.raises(Denied):
            lab.run(lab.blobs.pull(READER, TEAM, Digest.of(image.layers[-1])))
    else:
        assert lab.run(lab.manifests.pull(READER, TEAM, V1)).raw == image.manifest
    return verdict


@pytest.mark.parametrize("word", [*WORDS, None])
def test_the_type_of_the_configuration_hides_no_image(lab: Lab, word: str | None) -> None:
    """Its bytes are those of an image, and so it is judged as one."""
    assert judged(lab, called(bad(), word)).state is State.REFUSED


@pytest.mark.parametrize("word", [*WORDS, None])
def test_the_type_hides_none_in_a_docker_manifest(lab: Lab, word: str | None) -> None:
    """There containerd and podman look at it least."""
    disguised = called(bad(), word, media_types.DOCKER_MANIFEST, DOCKER_LAYER)
    assert judged(lab, disguised).state is State.REFUSED


@pytest.mark.parametrize(
    "family", ["application/vnd.docker.x", "application/vnd.oci.image.x", "Application/Vnd.Docker.X"]
)
def test_types_that_only_begin_as_an_images_hide_none(lab: Lab, family: str) -> None:
    """docker takes every type of these families, for configurations and layers."""
    assert judged(lab, called(bad(), family, layer=family)).state is State.INCONCLUSIVE


@pytest.mark.parametrize(
    "more", [b"", bytes(20_000), gzip.compress(bytes(1024), mtime=0)], ids=["nothing", "zeros", "gzip"]
)
def test_an_empty_layer_hides_no_image(lab: Lab, more: bytes) -> None:
    """docker unpacks it without a word, and then the others."""
    layers = [("application/octet-stream", item) for item in (more, *bad().layers)]
    assert judged(lab, made(("application/octet-stream", bad().config), *layers)).state is State.INCONCLUSIVE


def test_what_docker_cannot_unpack_is_no_image(lab: Lab) -> None:
    """It alone takes layers of such types, and it takes all of them or none."""
    octets = "application/octet-stream"
    layers = ((octets, bad().layers[1]), (octets, b"no archive"))
    assert judged(lab, made((octets, bad().config), *layers)).state is State.NOT_APPLICABLE


def test_the_type_of_an_artifact_hides_no_image(lab: Lab) -> None:
    """What a manifest calls itself is a word as well."""
    disguised = called(bad(), media_types.OCI_EMPTY, artifactType="application/vnd.example.sbom")
    assert judged(lab, disguised).state is State.REFUSED


@pytest.mark.parametrize("kind", [media_types.OCI_MANIFEST, media_types.DOCKER_MANIFEST])
def test_a_good_image_of_2016_is_cleared(lab: Lab, kind: str) -> None:
    """Docker called configurations octet streams then."""
    layer = DOCKER_LAYER if kind == media_types.DOCKER_MANIFEST else LAYER
    assert judged(lab, called(good(), "application/octet-stream", kind, layer)).state is State.CLEARED


@pytest.mark.parametrize("pack", [lzma.compress, bz2.compress])
@pytest.mark.parametrize("word", [media_types.OCI_CONFIG, "application/octet-stream"])
@pytest.mark.parametrize("kind", [LAYER, "application/vnd.oci.image.layer.v1.tar.gzip", "application/octet-stream"])
def test_a_compression_that_only_unpackers_know_hides_no_image(lab: Lab, pack: Any, word: str, kind: str) -> None:
    """What is in it cannot be seen here, and docker and podman start it."""
    assert judged(lab, called(packed(bad(), pack, kind), word)).state is State.INCONCLUSIVE


@pytest.mark.parametrize("config", [b"{}", b'{"os":"linux"}', b'{"rootfs":{"diff_ids":[]}}'])
def test_podman_takes_any_configuration_of_a_docker_manifest(lab: Lab, config: bytes) -> None:
    """Its type and its content do not matter there, as long as the layers have docker's types."""
    kind = media_types.DOCKER_MANIFEST
    started = made(("application/x", config), (DOCKER_LAYER, bad().layers[1]), kind=kind)
    assert judged(lab, started).state is State.INCONCLUSIVE


@pytest.mark.parametrize(
    "config",
    [
        bad().config[:-1] + b',"x":1,"x":2}',
        bad().config[:-1] + b',"x":"\\ud800"}',
        bad().config[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}",
        b" \n" + bad().config[:-1] + b',"x":"\xff"}',
    ],
)
def test_a_configuration_that_only_go_reads_hides_no_image(lab: Lab, config: bytes) -> None:
    """What is refused here for being read in two ways is still read there."""
    layers = [(LAYER, item) for item in bad().layers]
    assert judged(lab, made(("application/octet-stream", config), *layers)).state is State.INCONCLUSIVE


@pytest.mark.parametrize("word", [media_types.OCI_CONFIG, "application/octet-stream"])
@pytest.mark.parametrize("kind", [f"{LAYER}+encrypted", f"{LAYER}+Encrypted; a=b"])
def test_an_encrypted_layer_makes_an_image_unclear(lab: Lab, word: str, kind: str) -> None:
    """Who has the key starts what nobody has seen; no worker looks at it in vain."""
    found = judged(lab, called(packed(bad(), lambda raw: raw[::-1], kind), word))
    assert found.state is State.INCONCLUSIVE
    assert found.reasons[0] == "cannot be inspected: layer 0 is encrypted: what is in it cannot be seen"
    assert lab.gate.inspector.workers.counters.bytes_opened == 0


def test_layers_that_are_none_leave_an_image_unclear(lab: Lab) -> None:
    """Their type is that of an image's layers, and the configuration is a runtime's."""
    found = judged(lab, made(("application/octet-stream", empty_image("sha256:x")), (LAYER, b"no archive")))
    assert (found.state, "no layer opens as a tar archive" in found.reasons[0]) == (State.INCONCLUSIVE, True)


def test_an_image_without_layers_is_unclear(lab: Lab) -> None:
    """A runtime would start nothing, and there is nothing to look at."""
    found = lab.verdict(lab.pushed(made((media_types.OCI_CONFIG, empty_image()))).digest)
    assert found.state is State.INCONCLUSIVE


def test_a_layer_that_is_elsewhere_leaves_it_open(lab: Lab) -> None:
    """It may come; then the image is judged."""
    foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    image = called(bad(), "application/octet-stream", layer=foreign)
    lab.run(lab.push_blob(image.config))
    pushed = lab.run(lab.push_manifest(image.manifest))
    assert "is not in this registry" in lab.verdict(pushed.digest).reasons[0]
    lab.pushed(image)
    assert lab.verdict(pushed.digest).state is State.REFUSED


@pytest.mark.parametrize("name", ARTIFACTS)
def test_an_artifact_is_not_applicable(lab: Lab, name: str) -> None:
    """It is served, and no worker is started for it."""
    assert judged(lab, ARTIFACTS[name]).state is State.NOT_APPLICABLE
    assert lab.gate.inspector.workers.counters.bytes_opened == 0


def test_an_artifact_that_shares_a_layer_with_an_image_stays_one(lab: Lab) -> None:
    """That its layer was inspected before makes no image of it."""
    lab.pushed(good(), None)
    chart = made(("application/vnd.oci.empty.v1+json", b"{}"), (LAYER, good().layers[1]))
    assert judged(lab, chart).state is State.NOT_APPLICABLE


def test_only_the_head_of_a_model_is_read(lab: Lab) -> None:
    """Weights beside an image's configuration cost no inspection, however large they are."""
    weights = bytes(3_000_000)
    model = made((media_types.OCI_CONFIG, empty_image("sha256:x")), ("application/vnd.example.weights.v1.raw", weights))
    assert judged(lab, model).state is State.NOT_APPLICABLE
    assert lab.gate.inspector.workers.counters.bytes_opened == 0


def test_an_archive_beside_an_images_configuration_is_an_image(lab: Lab) -> None:
    """podman starts it, whatever the type of the layer."""
    image = made((media_types.OCI_CONFIG, empty_image("sha256:x")), ("application/vnd.example.data", tarred()))
    assert judged(lab, image).state is State.INCONCLUSIVE
