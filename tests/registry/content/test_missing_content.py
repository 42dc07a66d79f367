"""Content that is gone or of another size behind the server's back: nothing relies on it, and a push brings it back."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from registry.app import build
from registry.metadata.tables import manifests as manifest_rows
from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, ManifestBlobUnknown
from registry.oci.names import Tag
from registry.storage.disk.layout import Layout
from tests.registry.open_services import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenServices,
    image,
    index,
)
from tests.servers import open_settings, running

LAYER = bytes(range(256)) * 500
DIGEST = Digest.of(LAYER)
V1, V2 = Tag("v1"), Tag("v2")
SMALL = b"layer"

HARM: Mapping[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "cut": lambda path: write(path, path.read_bytes()[:-1]),
    "emptied": lambda path: write(path, b""),
    "grown": lambda path: write(path, path.read_bytes() + b"x"),
}


def write(path: Path, content: bytes) -> None:
    """Put other bytes in the place of a file's."""
    path.chmod(0o600)
    path.write_bytes(content)


def harm(data: Path, how: str, content: bytes = LAYER) -> None:
    """Do it to the file of some content."""
    HARM[how](Layout(data).blob(Digest.of(content)))


@pytest.mark.parametrize("content", [LAYER, SMALL], ids=["large", "small"])
@pytest.mark.parametrize("how", HARM)
def test_a_blob_without_its_bytes_is_not_there(services: OpenServices, how: str, content: bytes) -> None:
    """Pulls say so, so that clients push it again; then it is there again."""
    digest = services.run(services.push_blob(content))
    harm(services.data, how, content)
    with pytest.raises(BlobUnknown):
        services.run(services.blobs.pull(PUSHER, REPOSITORY, digest))
    services.run(services.push_blob(content))
    blob = services.run(services.blobs.pull(PUSHER, REPOSITORY, digest))
    assert blob.path is not None
    assert blob.path.read_bytes() == content


@pytest.mark.parametrize("again", [True, False], ids=["the same manifest", "another manifest"])
@pytest.mark.parametrize("how", HARM)
def test_a_manifest_is_not_taken_without_its_content(services: OpenServices, how: str, again: bool) -> None:
    """Whether or not the blobs are known to have been there; pushed again they count."""
    services.run(services.push_image(V1, [LAYER, SMALL]))
    harm(services.data, how)
    raw = image([LAYER, SMALL]) if again else image([SMALL, LAYER])
    with pytest.raises(ManifestBlobUnknown, match=f"{DIGEST}, .*push it again") as caught:
        services.run(services.push_manifest(raw, V2))
    assert caught.value.detail == [{"digest": DIGEST}]
    services.run(services.push_blob(LAYER))
    assert services.run(services.push_manifest(raw, V2)).tags == (V2,)


@pytest.mark.parametrize("source", [REPOSITORY, None], ids=["named", "looked for"])
@pytest.mark.parametrize("how", HARM)
def test_what_is_not_there_is_not_mounted(services: OpenServices, how: str, source: object) -> None:
    """The client uploads it instead, and afterwards it can be mounted."""
    services.run(services.push_blob(LAYER))
    harm(services.data, how)
    place = REPOSITORY if source else None
    assert not services.run(services.blobs.mount(PUSHER, OTHER, DIGEST, place, lambda _name: True))
    services.run(services.push_blob(LAYER))
    assert services.run(services.blobs.mount(PUSHER, OTHER, DIGEST, place, lambda _name: True))


def test_an_index_is_not_taken_without_the_bytes_of_its_manifests(services: OpenServices) -> None:
    """Those that an earlier version keeps in the blob store are looked at there."""
    services.run(services.push_image(V1))
    services.run(services.metadata.write(without_content))
    with pytest.raises(ManifestBlobUnknown, match=str(Digest.of(image()))):
        services.run(services.push_manifest(index(image()), V2))
    services.run(services.storage.put(Digest.of(image()), image()))
    assert services.run(services.push_manifest(index(image()), V2)).tags == (V2,)


def without_content(connection: Connection) -> None:
    """What an earlier version leaves in the rows of manifests."""
    connection.execute(update(manifest_rows).values(content=None))


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("how", HARM)
def test_an_answer_from_memory_does_not_outlive_the_file(tmp_path: Path, how: str, method: str) -> None:
    """A client that is told of it by HEAD would not push it again."""
    with running(build(open_settings(tmp_path / "data"))) as live, live.client() as client:
        place = client.post("/v2/a/blobs/uploads/").headers["location"]
        client.put(place, params={"digest": DIGEST}, content=LAYER).raise_for_status()
        path = f"/v2/a/blobs/{DIGEST}"
        assert {client.request(method, path).status_code for _ in range(3)} == {200}
        harm(live.data, how)
        assert {client.request(method, path).status_code for _ in range(3)} == {404}
