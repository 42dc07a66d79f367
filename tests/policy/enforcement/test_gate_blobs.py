"""The blob door: what a withheld image names opens through images alone, whatever else names it."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from registry.oci.names import RepositoryName, Tag
from tests.policy.images_made import (
    MadeImage,
    artifact,
    bad,
    damaged,
    descriptor,
    good,
    image,
    layer,
    miniconda,
)
from tests.policy.lab import READER, TEAM, Lab, open_lab
from tests.registry.open_services import PUSHER

OTHER = RepositoryName("team/other")


def wrapping(*contents: bytes, config: bytes = b"{}", **members: Any) -> MadeImage:
    """An artifact that names any blobs."""
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": descriptor(config, "application/vnd.example.files.v1+json"),
        "layers": [descriptor(content, "application/vnd.example.file") for content in contents],
    }
    return MadeImage(json.dumps(document | members).encode(), config, contents)


def is_open(lab: Lab, content: bytes, repository: RepositoryName = TEAM) -> bool:
    """Whether a reader gets the blob."""
    try:
        lab.run(lab.blobs.pull(READER, repository, Digest.of(content)))
    except Denied:
        return False
    return True


@pytest.mark.parametrize("made", [bad(), damaged()], ids=["refused", "inconclusive"])
@pytest.mark.parametrize("first", [True, False], ids=["artifact first", "image first"])
def test_an_artifact_does_not_open_a_withheld_images_blobs(lab: Lab, made: MadeImage, first: bool) -> None:
    """Neither its layers nor its configuration, though the artifact itself is served with what is its own."""
    chart = wrapping(*made.blobs, b"notes")
    for pushed in (chart, made) if first else (made, chart):
        lab.pushed(pushed, None)
    assert lab.run(lab.manifests.pull(READER, TEAM, chart.digest)).raw == chart.manifest
    assert [is_open(lab, content) for content in (*made.blobs, b"notes")] == [False] * len(made.blobs) + [True]


def test_a_pending_images_blobs_are_not_opened_either(tmp_path: Path) -> None:
    """Nobody knows yet what it is."""
    with open_lab(tmp_path / "data", wait_seconds=0) as lab:
        made = good()
        lab.pushed(wrapping(*made.blobs), None)
        lab.pushed(made, None)
        assert not is_open(lab, made.layers[1])
        lab.run(lab.gate.catch_up())
        assert is_open(lab, made.layers[1])


def test_the_reason_says_what_stands_in_the_way(lab: Lab) -> None:
    """The artifact is no reason, the image is."""
    lab.pushed(wrapping(*bad().layers), None)
    lab.pushed(bad(), None)
    with pytest.raises(Denied, match=r"an image that is not cleared uses it, and none that is: .*Python 3\.7\.0"):
        lab.run(lab.blobs.pull(READER, TEAM, Digest.of(bad().layers[1])))


def test_a_cleared_image_opens_what_a_withheld_one_names_as_well(lab: Lab) -> None:
    """Shared layers are the usual case; an artifact beside them changes nothing."""
    for made in (wrapping(*bad().layers), bad(), good()):
        lab.pushed(made, None)
    assert [is_open(lab, content) for content in bad().layers] == [True, False]


def test_an_exempted_image_opens_its_blobs(tmp_path: Path) -> None:
    """What counts is whether the reader may pull it."""
    with open_lab(tmp_path / "data", mode="warn") as lab:
        for made in (wrapping(*bad().layers), bad()):
            lab.pushed(made, None)
        assert is_open(lab, bad().layers[1])


def test_an_artifacts_blobs_are_open_where_no_withheld_image_names_them(lab: Lab) -> None:
    """Other blobs as before, in the same repository."""
    lab.pushed(bad(), None)
    lab.pushed(artifact(), None)
    lab.pushed(wrapping(b"a file"), Tag("files"))
    assert all(is_open(lab, content) for content in (*artifact().blobs, b"a file"))


def test_a_blob_closes_when_a_withheld_image_comes_to_name_it(lab: Lab) -> None:
    """The decision before it is not given again; when the image is deleted the artifact counts again."""
    own = layer(miniconda(python="3.7.0"))
    lab.pushed(wrapping(own), None)
    assert is_open(lab, own)
    pushed = lab.pushed(image(own), None)
    assert not is_open(lab, own)
    lab.run(lab.manifests.delete(TEAM, pushed.digest))
    assert is_open(lab, own)


def test_a_reader_of_the_source_cannot_mount_what_it_may_not_read(lab: Lab) -> None:
    """The artifact beside the image does not open this door either."""
    for made in (wrapping(*bad().layers), bad()):
        lab.pushed(made, None)
    mounter = type(PUSHER)("9", "other", PUSHER.role, (OTHER,))
    digest = Digest.of(bad().layers[1])
    assert not lab.run(lab.blobs.mount(mounter, OTHER, digest, TEAM, lambda _name: True))
    assert not lab.run(lab.blobs.mount(mounter, OTHER, digest, None, lambda _name: True))


def test_repositories_are_decided_one_by_one(lab: Lab) -> None:
    """Where no withheld image names the bytes they are an artifact's own."""
    lab.pushed(bad(), None)
    lab.pushed(wrapping(*bad().layers), None, OTHER)
    assert (is_open(lab, bad().layers[1]), is_open(lab, bad().layers[1], OTHER)) == (False, True)
