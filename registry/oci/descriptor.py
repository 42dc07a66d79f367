"""Descriptors: references from content to content (image-spec descriptor.md)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from registry.oci.digest import Digest
from registry.oci.errors import DigestInvalid, ManifestInvalid
from registry.oci.platforms import Platform

# image-spec descriptor.md: an int64.
LARGEST_SIZE = (1 << 63) - 1
_BARE = frozenset({"mediaType", "digest", "size"})


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Media type, digest and size in bytes of content, with the optional members that the registry uses."""

    media_type: str
    digest: Digest
    size: int
    artifact_type: str = ""
    platform: Platform | None = None
    urls: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Any, where: str) -> Self:
        """Parse a descriptor of a manifest.

        Raises:
            ManifestInvalid: not an object with a string mediaType, a digest and a size >= 0; names `where`.
        """
        usual = cls._usual(value)
        return cls._explained(value, where) if usual is None else usual

    @classmethod
    def list_from_json(cls, values: Iterable[Any], where: str) -> tuple[Self, ...]:
        """Parse descriptors as `from_json` does; their places are only worded for a refusal."""
        descriptors = []
        for index, value in enumerate(values):
            usual = cls._usual(value)
            descriptors.append(cls._explained(value, f"{where}[{index}]") if usual is None else usual)
        return tuple(descriptors)

    @classmethod
    def _usual(cls, value: Any) -> Self | None:
        """The descriptor, if it has exactly the three required members and they are valid; else `None`."""
        if type(value) is not dict or value.keys() != _BARE:
            return None
        media_type, digest, size = value["mediaType"], value["digest"], value["size"]
        if type(media_type) is not str or type(size) is not int or not 0 <= size <= LARGEST_SIZE:
            return None
        parsed = Digest.usual(digest) if type(digest) is str else None
        return None if parsed is None else cls(media_type, parsed, size)

    @classmethod
    def _explained(cls, value: Any, where: str) -> Self:
        """Parse any descriptor; the refusal says what is wrong."""
        if not isinstance(value, dict):
            raise ManifestInvalid(f"{where} is not a descriptor: needs an object with mediaType, digest and size")
        size = value.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST_SIZE:
            raise ManifestInvalid(f"{where}.size is {size!r}: needs a whole number of bytes from 0 to {LARGEST_SIZE}")
        try:
            digest = Digest.parse(text_member(value, "digest", where))
        except DigestInvalid as error:
            raise ManifestInvalid(f"{where}.digest: {error.message}") from None
        urls = value.get("urls") or []
        if not isinstance(urls, list):
            raise ManifestInvalid(f"{where}.urls is not a list")
        return cls(
            media_type=text_member(value, "mediaType", where),
            digest=digest,
            size=size,
            artifact_type=text_member(value, "artifactType", where),
            platform=_platform(value.get("platform"), where),
            urls=tuple(str(url) for url in urls),
            annotations=annotations_member(value, where),
        )


def text_member(value: Mapping[str, Any], name: str, where: str) -> str:
    """A string member, "" when absent or null.

    Raises:
        ManifestInvalid: present and not a string.
    """
    member = value.get(name)
    if member is None:
        return ""
    if not isinstance(member, str):
        raise ManifestInvalid(f"{where}.{name} is not a string")
    return member


def annotations_member(value: Mapping[str, Any], where: str) -> dict[str, str]:
    """The annotations of a manifest or descriptor: strings to strings, empty when absent.

    Raises:
        ManifestInvalid: not an object of strings.
    """
    annotations = value.get("annotations")
    if annotations is None:
        return {}
    if not isinstance(annotations, dict) or not all(isinstance(text, str) for text in annotations.values()):
        raise ManifestInvalid(f"{where}.annotations is not an object of strings")
    return dict(annotations)


def _platform(value: Any, where: str) -> Platform | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ManifestInvalid(f"{where}.platform is not an object")
    names = ("os", "architecture", "variant")
    return Platform(*(text_member(value, name, f"{where}.platform") for name in names))
