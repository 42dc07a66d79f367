"""Indexes whose children are blobs: the registry cache of BuildKit in the form that it wrote before 2023."""

import pytest

from registry.oci.digest import Digest
from registry.oci.errors import ManifestBlobUnknown, Unsupported
from registry.oci.names import Tag
from tests.registry.ageing import age
from tests.registry.open_rooms import (
    PUSHER,
    REPOSITORY,
    OpenRooms,
    descriptor,
    image,
    index,
)

CACHE = Tag("cache")
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.buildkit.cacheconfig.v0"


def cache(*layers: bytes, config: bytes = b'{"layers":[]}') -> bytes:
    """The index that BuildKit writes with `image-manifest=false`."""
    entries = [descriptor(layer, LAYER) for layer in layers]
    return index(manifests=[*entries, descriptor(config, CONFIG)])


def push(rooms: OpenRooms, *layers: bytes) -> bytes:
    """Push a cache with all that it names."""
    raw = cache(*layers)
    for content in (*layers, b'{"layers":[]}'):
        rooms.run(rooms.push_blob(content))
    rooms.run(rooms.push_manifest(raw, CACHE))
    return raw


def test_children_that_are_no_manifests_are_blobs(rooms: OpenRooms) -> None:
    """They are looked for among the blobs of the repository."""
    raw = push(rooms, b"one", b"two")
    assert rooms.run(rooms.manifests.pull(PUSHER, REPOSITORY, CACHE)).raw == raw


@pytest.mark.parametrize("there", [[], [b"one"], [b'{"layers":[]}']])
def test_a_child_that_is_nowhere_is_refused(rooms: OpenRooms, there: list[bytes]) -> None:
    """The refusal names it."""
    for content in there:
        rooms.run(rooms.push_blob(content))
    with pytest.raises(ManifestBlobUnknown) as refused:
        rooms.run(rooms.push_manifest(cache(b"one"), CACHE))
    missing = {Digest.of(b"one"), Digest.of(b'{"layers":[]}')} - {Digest.of(content) for content in there}
    assert {item["digest"] for item in refused.value.detail} == missing


def test_a_manifest_among_the_blobs_is_none(rooms: OpenRooms) -> None:
    """What an index calls a manifest was pushed as one, in any spelling of its type."""
    rooms.run(rooms.push_image(None))
    other = image(annotations={"other": "one"})
    rooms.run(rooms.push_blob(other))
    for media_type in ("application/vnd.oci.image.manifest.v1+json", "Application/vnd.oci.image.index.v1+json; a=b"):
        with pytest.raises(ManifestBlobUnknown):
            rooms.run(rooms.push_manifest(index(manifests=[descriptor(other, media_type)]), CACHE))


def test_a_manifest_under_another_type_is_found_as_well(rooms: OpenRooms) -> None:
    """As before: clients that leave the type out are served."""
    rooms.run(rooms.push_image(None))
    rooms.run(rooms.push_manifest(index(manifests=[descriptor(image(), "")]), CACHE))


def test_a_blob_whose_file_is_gone_is_missing(rooms: OpenRooms) -> None:
    """As below an image."""
    for content in (b"one", b'{"layers":[]}'):
        rooms.run(rooms.push_blob(content))
    digest = Digest.of(b"one")
    (rooms.data / "blobs" / "sha256" / digest.encoded[:2] / digest.encoded).unlink()
    with pytest.raises(ManifestBlobUnknown):
        rooms.run(rooms.push_manifest(cache(b"one"), CACHE))


def test_the_collector_keeps_them(rooms: OpenRooms) -> None:
    """As long as the index is there, and no longer."""
    push(rooms, b"one", b"two")
    age(rooms)
    rooms.run(rooms.collector.run())
    for content in (b"one", b"two"):
        assert rooms.run(rooms.blobs.pull(PUSHER, REPOSITORY, Digest.of(content))).size == len(content)
    rooms.run(rooms.manifests.delete(REPOSITORY, Digest.of(cache(b"one", b"two"))))
    age(rooms)
    rooms.run(rooms.collector.run())
    assert rooms.run(rooms.storage.stat(Digest.of(b"one"))) is None


def test_a_blob_that_a_cache_names_cannot_be_deleted(rooms: OpenRooms) -> None:
    """The message names the index."""
    raw = push(rooms, b"one")
    with pytest.raises(Unsupported, match=str(Digest.of(raw))):
        rooms.run(rooms.blobs.delete(REPOSITORY, Digest.of(b"one")))
