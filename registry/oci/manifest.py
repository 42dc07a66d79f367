"""Image manifests and indexes (image-spec manifest.md, image-index.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.oci import media_types, shapes, strict_json
from registry.oci.descriptor import Descriptor, annotations_member, text_member
from registry.oci.errors import ManifestInvalid


@dataclass(frozen=True, slots=True)
class ImageManifest:
    """One image or artifact: a configuration and its layers."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    artifact_type: str
    subject: Descriptor | None
    annotations: Mapping[str, str]

    @property
    def referrer_type(self) -> str:
        """The artifactType under which the referrers list shows it (distribution-spec, "Listing Referrers")."""
        return self.artifact_type or self.config.media_type


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """A list of manifests, one per platform or purpose."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    artifact_type: str
    subject: Descriptor | None
    annotations: Mapping[str, str]

    @property
    def referrer_type(self) -> str:
        """The artifactType under which the referrers list shows it; empty when it has none."""
        return self.artifact_type

    @property
    def members(self) -> tuple[Descriptor, ...]:
        """The entries that are not manifests but blobs, as in caches that BuildKit wrote before 2023."""
        return tuple(item for item in self.manifests if not media_types.is_manifest(item.media_type))


Manifest = ImageManifest | ImageIndex


def parse_manifest(raw: bytes, content_type: str) -> Manifest:
    """Parse a pushed manifest.

    Args:
        raw: the bytes as pushed.
        content_type: the request's Content-Type; used when the document has no mediaType.

    Raises:
        ManifestInvalid: not strict JSON, an unsupported type, mediaType and Content-Type disagree, or a bad member.
    """
    try:
        document = strict_json.loads(raw)
        strict_json.refuse_misspelt(document, shapes.MANIFEST)
    except strict_json.JsonRefused as error:
        raise ManifestInvalid(f"manifest invalid: {error}") from None
    if not isinstance(document, dict):
        raise ManifestInvalid("manifest invalid: needs a JSON object")
    media_type = _media_type(document, content_type)
    if document.get("schemaVersion") != 2:
        raise ManifestInvalid(f"schemaVersion is {document.get('schemaVersion')!r}: needs 2")
    if media_type in media_types.INDEXES:
        return _index(document, media_type)
    return _image(document, media_type)


def _media_type(document: Mapping[str, Any], content_type: str) -> str:
    declared = text_member(document, "mediaType", "manifest")
    bare = media_types.without_parameters(content_type)
    if bare in media_types.SCHEMA1 or document.get("schemaVersion") == 1:
        raise ManifestInvalid(
            "unsupported manifest media type: schema version 1 is not accepted, push with a current client",
            {"mediaType": bare},
        )
    if declared and bare in media_types.MANIFESTS and declared != bare:
        raise ManifestInvalid(f"mediaType {declared!r} does not agree with Content-Type {bare!r}")
    media_type = declared or bare
    if media_type not in media_types.MANIFESTS:
        supported = ", ".join(sorted(media_types.MANIFESTS))
        raise ManifestInvalid(
            f"unsupported manifest media type {media_type[:128]!r}: needs one of {supported}",
            {"mediaType": media_type[:128]},
        )
    return media_type


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list):
        raise ManifestInvalid(f"manifest.{name} is not a list")
    return value


def _subject(document: Mapping[str, Any]) -> Descriptor | None:
    subject = document.get("subject")
    return None if subject is None else Descriptor.from_json(subject, "subject")


def _image(document: Mapping[str, Any], media_type: str) -> ImageManifest:
    if "manifests" in document:
        raise ManifestInvalid("an image manifest must not carry a list of manifests")
    return ImageManifest(
        media_type=media_type,
        config=Descriptor.from_json(document.get("config"), "config"),
        layers=Descriptor.list_from_json(_list(document, "layers"), "layers"),
        artifact_type=text_member(document, "artifactType", "manifest"),
        subject=_subject(document),
        annotations=annotations_member(document, "manifest"),
    )


def _index(document: Mapping[str, Any], media_type: str) -> ImageIndex:
    if "layers" in document or "config" in document:
        raise ManifestInvalid("an index must not carry config or layers")
    return ImageIndex(
        media_type=media_type,
        manifests=Descriptor.list_from_json(_list(document, "manifests"), "manifests"),
        artifact_type=text_member(document, "artifactType", "manifest"),
        subject=_subject(document),
        annotations=annotations_member(document, "manifest"),
    )
