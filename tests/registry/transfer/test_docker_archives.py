"""Archives of docker save in the form before OCI layouts."""

import json
import os
import tarfile

import pytest

from registry.config.transfer import TransferSettings
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.transfer.errors import SourceUnusable
from registry.transfer.opening import open_stream
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices
from tests.registry.transfer.archives import (
    LAYER,
    LIMITS,
    compressed,
    config_of,
    docker_members,
    hard_link,
    opened,
    sha256,
    tar,
)
from tests.registry.transfer.copies import Counting, copied, offered, tags_of

ARCHIVE = tar(*docker_members({"0/layer.tar": LAYER}))


def test_an_image_gets_a_manifest_of_its_parts_as_they_are(services: OpenServices) -> None:
    """The configuration keeps its digest, which docker shows as the image's id, and a layer is named by its diff_id."""
    [image], _ = copied(services, opened(ARCHIVE))
    document = json.loads(services.run(services.manifests.pull(PUSHER, REPOSITORY, image.digest)).raw)
    assert document["config"]["digest"] == sha256(config_of([LAYER]))
    assert [layer["digest"] for layer in document["layers"]] == [sha256(LAYER)]


def test_it_gets_the_tag_of_its_name(services: OpenServices) -> None:
    """`HOST:PORT/team/app:v1` is tagged `v1`."""
    copied(services, opened(tar(*docker_members({"l": LAYER}, ["127.0.0.1:5000/team/app:v1"]))))
    assert list(tags_of(services)) == ["v1"]


def test_each_name_is_an_image(services: OpenServices) -> None:
    """One image under two names is there under both tags."""
    copied(services, opened(tar(*docker_members({"l": LAYER}, ["app:v1", "app:v2"]))))
    assert len(set(tags_of(services).values())) == 1
    assert list(tags_of(services)) == ["v1", "v2"]


def test_an_image_without_a_name_is_offered_by_its_digest(services: OpenServices) -> None:
    """As `docker save ID` writes it."""
    [image] = offered(services, opened(tar(*docker_members({"l": LAYER}, []))))
    assert (image.tag, image.name) == (None, sha256(config_of([LAYER])))


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_compressed_layers_are_taken_as_they_are(services: OpenServices, form: str) -> None:
    """As crane, kaniko and others write them; their media type says so."""
    members = docker_members({"0.tar.gz": compressed(form, LAYER)}, plain=[LAYER])
    [image], _ = copied(services, opened(tar(*members)))
    document = json.loads(services.run(services.manifests.pull(PUSHER, REPOSITORY, image.digest)).raw)
    assert document["layers"][0]["mediaType"] == f"{media_types.OCI_LAYER}+{form}"
    assert document["layers"][0]["digest"] == sha256(compressed(form, LAYER))


@pytest.mark.parametrize("target", ["../1/layer.tar", "./../1/layer.tar"])
def test_symbolic_links_within_the_archive_are_followed(services: OpenServices, target: str) -> None:
    """Old dockers write a layer that comes twice as a link to the first."""
    members = docker_members({"1/layer.tar": LAYER, "2/layer.tar": LAYER})
    linked = [(name, target if name == "2/layer.tar" else content) for name, content in members]
    [image], _ = copied(services, opened(tar(*linked)))
    assert image.new


def test_hard_links_within_the_archive_are_followed(services: OpenServices) -> None:
    """Their targets are names from the root of the archive."""
    members = [member for member in docker_members({"0/layer.tar": LAYER}) if member[0] != "0/layer.tar"]
    archive = hard_link("0/layer.tar", "1/layer.tar") + tar(("1/layer.tar", LAYER), *members)
    [image], _ = copied(services, opened(archive))
    assert image.new


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_a_compressed_archive_is_one(services: OpenServices, form: str) -> None:
    """`docker save … | gzip` gives the same image."""
    [plain], _ = copied(services, opened(ARCHIVE))
    [image], _ = copied(services, opened(compressed(form, ARCHIVE)))
    assert (image.digest, image.new) == (plain.digest, False)


def test_a_second_import_reads_no_layer(services: OpenServices) -> None:
    """What is there is not read again."""
    first, second = Counting(opened(ARCHIVE)), Counting(opened(ARCHIVE))
    copied(services, first)
    copied(services, second)
    assert (len(first.read), second.read) == (2, [])


def test_two_layers_of_one_content_are_read_once(services: OpenServices) -> None:
    """The manifest names both."""
    source = Counting(opened(tar(*docker_members({"0/layer.tar": LAYER, "1/layer.tar": LAYER}))))
    copied(services, source)
    assert source.read.count(Digest(sha256(LAYER))) == 1


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_read(services: OpenServices, form: int) -> None:
    """In each of the forms that a name over 100 bytes has."""
    name = f"{'x' * 90}/{'y' * 60}/layer.tar"
    assert len(offered(services, opened(tar(*docker_members({name: LAYER}), form=form)))) == 1


def test_a_pipe_is_read_once_and_kept(services: OpenServices) -> None:
    """A stream that cannot seek gives the same images as a file."""
    reading, writing = os.pipe()
    os.write(writing, ARCHIVE)
    os.close(writing)
    [image] = offered(services, open_stream(os.fdopen(reading, "rb", buffering=0), LIMITS))
    assert image.name == "team/app:v1"


def test_a_stream_past_the_limit_is_refused() -> None:
    """A gzip that grows without end fills no disk."""
    bomb = compressed("gzip", bytes(8 << 20))
    with pytest.raises(SourceUnusable, match=r"larger than 1048576 bytes \(transfer.archive_bytes\)"):
        opened(bomb, TransferSettings(archive_bytes=1 << 20))
