"""Manifests: forms that must be accepted, forms that must be refused."""

import json
from typing import Any

import pytest

from registry.oci import media_types
from registry.oci.errors import ManifestInvalid
from registry.oci.manifest import ImageIndex, ImageManifest, parse_manifest

DIGEST = f"sha256:{'0' * 64}"
CONFIG = {"mediaType": media_types.OCI_CONFIG, "digest": DIGEST, "size": 2}
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 3}


def image(**changes: Any) -> dict[str, Any]:
    """A small image manifest with some members changed; `None` removes a member."""
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": CONFIG, "layers": [LAYER]}
    return {name: value for name, value in {**document, **changes}.items() if value is not None}


def parse(document: object, content_type: str = media_types.OCI_MANIFEST) -> ImageManifest | ImageIndex:
    """The parsed form of a JSON document."""
    return parse_manifest(json.dumps(document).encode(), content_type)


def test_an_image_manifest_names_config_and_layers() -> None:
    """Descriptors keep type, digest and size."""
    manifest = parse(image())
    assert isinstance(manifest, ImageManifest)
    assert (manifest.config.size, [layer.size for layer in manifest.layers]) == (2, [3])


def test_without_media_type_the_content_type_decides() -> None:
    """The oldest suite pushes manifests without mediaType."""
    manifest = parse(image(mediaType=None, layers=[]), "application/vnd.oci.image.manifest.v1+json; charset=utf-8")
    assert manifest.media_type == media_types.OCI_MANIFEST


def test_an_artifact_is_listed_under_its_own_type() -> None:
    """An empty configuration says nothing."""
    manifest = parse(image(config={**CONFIG, "mediaType": media_types.OCI_EMPTY}, artifactType="application/x"))
    assert isinstance(manifest, ImageManifest)
    assert manifest.referrer_type == "application/x"


def test_an_index_names_its_children_and_platforms() -> None:
    """An attestation child is known by its unknown platform."""
    child = {"mediaType": media_types.OCI_MANIFEST, "digest": DIGEST, "size": 1}
    unknown = {**child, "platform": {"os": "unknown", "architecture": "unknown"}}
    index = parse({"schemaVersion": 2, "manifests": [child, unknown]}, media_types.OCI_INDEX)
    assert isinstance(index, ImageIndex)
    assert [bool(item.platform and item.platform.is_unknown) for item in index.manifests] == [False, True]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "JSON object"),
        (image(schemaVersion=1), "schema version 1"),
        (image(schemaVersion=3), "needs 2"),
        (image(mediaType="text/plain"), "does not agree"),
        (image(mediaType=media_types.DOCKER_MANIFEST), "does not agree"),
        (image(config=None), "config is not a descriptor"),
        (image(layers=None), "layers is not a list"),
        (image(layers=[{**LAYER, "size": -1}]), r"layers\[0\].size"),
        (image(layers=[{**LAYER, "size": True}]), r"layers\[0\].size"),
        (image(layers=[{**LAYER, "digest": "sha256:x"}]), r"layers\[0\].digest"),
        (image(layers=[{**LAYER, "urls": "x"}]), "urls is not a list"),
        (image(annotations={"a": 1}), "object of strings"),
        (image(manifests=[]), "must not carry a list"),
        (image(subject=7), "subject is not a descriptor"),
    ],
)
def test_a_bad_member_is_named(document: object, why: str) -> None:
    """The message says which member and what it needs."""
    with pytest.raises(ManifestInvalid, match=why):
        parse(document)


def test_members_that_differ_by_case_only_are_refused() -> None:
    """A container runtime would read the second list."""
    raw = json.dumps(image())[:-1] + ', "Layers": []}'
    with pytest.raises(ManifestInvalid, match="differ by case only"):
        parse_manifest(raw.encode(), media_types.OCI_MANIFEST)


def test_unknown_members_are_ignored() -> None:
    """Extensions must not break a push."""
    assert parse(image(somethingNew={"a": [1]})).media_type == media_types.OCI_MANIFEST


def test_an_unsupported_type_is_refused_with_the_supported_ones() -> None:
    """The message lists what this registry takes."""
    with pytest.raises(ManifestInvalid, match="unsupported manifest media type 'text/plain'"):
        parse(image(mediaType=None), "text/plain")
