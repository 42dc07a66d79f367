"""Indexes whose children are blobs: the registry cache of BuildKit in the form that it wrote before 2023."""

import pytest

from registry.oci.digest import Digest
from registry.oci.errors import ManifestBlobUnknown, Unsupported
from registry.oci.names import Tag
from tests.registry.ageing import age
from tests.registry.open_services import (
    PUSHER,
    REPOSITORY,
    OpenServices,
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


def push(services: OpenServices, *layers: bytes) -> bytes:
    """Push a cache with all that it names."""
    raw = cache(*layers)
    for content in (*layers, b'{"layers":[]}'):
        services.run(services.push_blob(content))
    services.run(services.push_manifest(raw, CACHE))
    return raw


def test_children_that_are_no_manifests_are_blobs(services: OpenServices) -> None:
    """They are looked for among the blobs of the repository."""
    raw = push(services, b"one", b"two")
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, CACHE)).raw == raw


@pytest.mark.parametrize("there", [[], [b"one"], [b'{"layers":[]}']])
def test_a_child_that_is_nowhere_is_refused(services: OpenServices, there: list[bytes]) -> None:
    """The refusal names it."""
    for content in there:
        services.run(services.push_blob(content))
    with pytest.raises(ManifestBlobUnknown) as refused:
        services.run(services.push_manifest(cache(b"one"), CACHE))
    missing = {Digest.of(b"one"), Digest.of(b'{"layers":[]}')} - {Digest.of(content) for content in there}
    assert {item["digest"] for item in refused.value.detail} == missing


def test_a_manifest_among_the_blobs_is_none(services: OpenServices) -> None:
    """What an index calls a manifest was pushed as one, in any spelling of its type."""
    services.run(services.push_image(None))
    other = image(annotations={"other": "one"})
    services.run(services.push_blob(other))
    for media_type in ("application/vnd.oci.image.manifest.v1+json", "Application/vnd.oci.image.index.v1+json; a=b"):
        with pytest.raises(ManifestBlobUnknown):
            services.run(services.push_manifest(index(manifests=[descriptor(other, media_type)]), CACHE))


def test_a_manifest_under_another_type_is_found_as_well(services: OpenServices) -> None:
    """As before: clients that leave the type out are served."""
    services.run(services.push_image(None))
    services.run(services.push_manifest(index(manifests=[descriptor(image(), "")]), CACHE))


def test_a_blob_whose_file_is_gone_is_missing(services: OpenServices) -> None:
    """As below an image."""
    for content in (b"one", b'{"layers":[]}'):
        services.run(services.push_blob(content))
    digest = Digest.of(b"one")
    (services.data / "blobs" / "sha256" / digest.encoded[:2] / digest.encoded).unlink()
    with pytest.raises(ManifestBlobUnknown):
        services.run(services.push_manifest(cache(b"one"), CACHE))


def test_the_collector_keeps_them(services: OpenServices) -> None:
    """As long as the index is there, and no longer."""
    push(services, b"one", b"two")
    age(services)
    services.run(services.collector.run())
    for content in (b"one", b"two"):
        assert services.run(services.blobs.pull(PUSHER, REPOSITORY, Digest.of(content))).size == len(content)
    services.run(services.manifests.delete(REPOSITORY, Digest.of(cache(b"one", b"two"))))
    age(services)
    services.run(services.collector.run())
    assert services.run(services.storage.stat(Digest.of(b"one"))) is None


def test_a_blob_that_a_cache_names_cannot_be_deleted(services: OpenServices) -> None:
    """The message names the index."""
    raw = push(services, b"one")
    with pytest.raises(Unsupported, match=str(Digest.of(raw))):
        services.run(services.blobs.delete(REPOSITORY, Digest.of(b"one")))
