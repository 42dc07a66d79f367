"""Which platforms of an index are wanted."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from registry.oci import media_types, strict_json
from registry.oci.canonical_json import canonical_json
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.manifest import ImageIndex, ImageManifest
from registry.oci.platforms import Platform, platform_of_config
from registry.transfer.contents import Source
from registry.transfer.errors import SourceUnusable
from registry.transfer.parsing import parsed

Read = Callable[[Descriptor], Awaitable[bytes]]


class Chosen(NamedTuple):
    """The manifest that is copied; `made` when it is not the one that the source names."""

    descriptor: Descriptor
    raw: bytes
    made: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """The wanted platforms; none: all of them, and the index as it is."""

    platforms: tuple[Platform, ...] = ()

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Self:
        """Parse `linux/amd64`, `linux/arm/v7`. Raises SourceUnusable."""
        return cls(tuple(_platform(text) for text in texts))

    async def choose(self, source: Source, descriptor: Descriptor, read: Read) -> Chosen:
        """The manifest to copy: an index as it is, one child of it, or an index of the wanted children.

        Raises:
            SourceUnusable: it has no image for a wanted platform.
        """
        raw = await read(descriptor)
        manifest = await parsed(raw, descriptor.media_type)
        if not self.platforms:
            return Chosen(descriptor, raw, made=False)
        if isinstance(manifest, ImageManifest):
            await self._require_platform(source, manifest)
            return Chosen(descriptor, raw, made=False)
        wanted = [_child(manifest, platform) for platform in self.platforms]
        if len({child.digest for child in wanted}) == 1:
            return Chosen(wanted[0], await read(wanted[0]), made=True)
        smaller = _with_children(raw, {child.digest for child in wanted})
        return Chosen(Descriptor(manifest.media_type, Digest.of(smaller), len(smaller)), smaller, made=True)

    async def _require_platform(self, source: Source, manifest: ImageManifest) -> None:
        if not media_types.is_image_config(manifest.config.media_type):
            return
        raw = b"".join([piece async for piece in source.blob(manifest.config)])
        found = platform_of_config(raw)
        if not any(_covers(platform, found) for platform in self.platforms):
            raise SourceUnusable(f"the image is for {found or 'no platform that it names'}, and not for {self}")

    def __str__(self) -> str:
        return ", ".join(map(str, self.platforms))


ALL = Selection()


def _platform(text: str) -> Platform:
    parts = text.split("/")
    if not 2 <= len(parts) <= 3 or not all(parts):
        raise SourceUnusable(f"{text[:64]!r} is no platform: needs OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT")
    return Platform(*parts).normal


def _covers(wanted: Platform, found: Platform) -> bool:
    normal = found.normal
    return normal.is_alike(wanted) and (not wanted.variant or not found.variant or normal.variant == wanted.variant)


def _child(index: ImageIndex, wanted: Platform) -> Descriptor:
    named = [(child, child.platform) for child in index.manifests if child.platform is not None]
    for child, platform in named:
        if _covers(wanted, platform):
            return child
    offered = ", ".join(dict.fromkeys(str(platform) for _, platform in named if not platform.is_unknown))
    raise SourceUnusable(f"the image has nothing for {wanted}: it is there for {offered or 'no platform by name'}")


def _with_children(raw: bytes, wanted: set[Digest]) -> bytes:
    """The index with the wanted children alone, everything else as it was."""
    document: dict[str, Any] = strict_json.loads(raw)
    document["manifests"] = [child for child in document["manifests"] if child["digest"] in wanted]
    return canonical_json(document)
