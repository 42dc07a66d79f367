"""OCI image layouts as a source, in a folder or a tar (image-spec, image-layout.md)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from registry.config.transfer import TransferSettings
from registry.oci import media_types, strict_json
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.errors import ManifestInvalid, OciError
from registry.oci.manifest import ImageIndex, parse_manifest
from registry.oci.names import Tag
from registry.transfer.contents import SourceImage
from registry.transfer.errors import SourceUnusable
from registry.transfer.files import Files, missing
from registry.transfer.walking import in_thread

MARK, INDEX = "oci-layout", "index.json"
REF_NAME = "org.opencontainers.image.ref.name"
_IMAGE_NAME = "io.containerd.image.name"


class LayoutSource:
    """A layout. Its images are the entries of index.json; entries without a name that refer to others are referrers.

    Args:
        files: of the layout.
        limits: of what is read.
    """

    def __init__(self, files: Files, limits: TransferSettings) -> None:
        self._files = files
        self._limits = limits
        self._referrers: dict[Digest, list[Descriptor]] | None = None

    async def images(self) -> Sequence[SourceImage]:
        """The entries of index.json, without those that refer to another manifest and have no name."""
        entries = await self._entries()
        referring = {item.digest for items in (await self._by_subject()).values() for item in items}
        return [_image(entry) for entry in entries if _name(entry) or entry.digest not in referring]

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """A manifest among the blobs."""
        name = _path(descriptor.digest)
        raw = await asyncio.to_thread(self._files.read, name, self._limits.document_bytes)
        if len(raw) != descriptor.size:
            raise _other_size(descriptor, len(raw))
        return raw

    async def blob(self, descriptor: Descriptor, start: int = 0) -> AsyncIterator[bytes]:
        """A blob; its size is compared before any of it is read."""
        name = _path(descriptor.digest)
        size = await asyncio.to_thread(self._files.size, name)
        if size is None:
            raise missing(name)
        if size != descriptor.size:
            raise _other_size(descriptor, size)
        async for piece in in_thread(self._files.pieces(name, start)):
            yield piece

    async def holds(self, descriptor: Descriptor) -> bool:
        """Whether the blob's file is there."""
        return await asyncio.to_thread(self._files.size, _path(descriptor.digest)) is not None

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """The entries of index.json, and of indexes that are named as OCI's referrers tags, whose subject it is."""
        return (await self._by_subject()).get(subject, [])

    async def close(self) -> None:
        """Close the archive."""
        self._files.close()

    async def _entries(self) -> tuple[Descriptor, ...]:
        raw = await asyncio.to_thread(self._files.read, INDEX, self._limits.document_bytes)
        try:
            index = parse_manifest(raw, media_types.OCI_INDEX)
        except ManifestInvalid as error:
            raise SourceUnusable(f"{INDEX} of the layout is none: {error.message}") from None
        if not isinstance(index, ImageIndex):
            raise SourceUnusable(f"{INDEX} of the layout is a single manifest: needs an index")
        return index.manifests

    async def _by_subject(self) -> dict[Digest, list[Descriptor]]:
        if self._referrers is None:
            found: dict[Digest, list[Descriptor]] = {}
            for entry in await self._entries():
                for candidate in await self._candidates(entry):
                    subject = await self._subject(candidate)
                    known = [] if subject is None else found.setdefault(subject, [])
                    if candidate.digest not in {item.digest for item in known}:
                        known.append(candidate)
            self._referrers = found
        return self._referrers

    async def _candidates(self, entry: Descriptor) -> tuple[Descriptor, ...]:
        """The entry, or the children of one that a client without the referrers API has tagged (`sha256-…`)."""
        algorithm, dash, encoded = _name(entry).partition("-")
        if not (dash and algorithm in {"sha256", "sha512"} and len(encoded) >= 64) or not _is_index(entry):
            return (entry,)
        index = parse_manifest(await self.manifest(entry), entry.media_type)
        return index.manifests if isinstance(index, ImageIndex) else (entry,)

    async def _subject(self, descriptor: Descriptor) -> Digest | None:
        if not media_types.is_manifest(descriptor.media_type):
            return None
        raw = await self.manifest(descriptor)
        if b'"subject"' not in raw:
            return None
        try:
            document: Any = strict_json.loads(raw)
            subject = document.get("subject") if isinstance(document, dict) else None
            return None if subject is None else Descriptor.from_json(subject, "subject").digest
        except (strict_json.JsonRefused, OciError):
            return None  # what is wrong with it is told when it is copied


def _path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def _is_index(descriptor: Descriptor) -> bool:
    return media_types.without_parameters(descriptor.media_type) in media_types.INDEXES


def _name(descriptor: Descriptor) -> str:
    return descriptor.annotations.get(REF_NAME) or descriptor.annotations.get(_IMAGE_NAME) or ""


def _image(descriptor: Descriptor) -> SourceImage:
    name = _name(descriptor)
    return SourceImage(descriptor, tag_of(name), name or str(descriptor.digest))


def tag_of(name: str) -> Tag | None:
    """The tag of `v1`, `debian:12` or `HOST:PORT/team/app:v1`; `None` when it has none."""
    path, _, tail = name.partition("@")[0].rpartition("/")
    _, colon, tag = tail.rpartition(":")
    try:
        return Tag.parse(tag) if colon or not path else None
    except OciError:
        return None


def _other_size(descriptor: Descriptor, size: int) -> SourceUnusable:
    return SourceUnusable(
        f"{descriptor.digest} has {size} bytes, and what names it says {descriptor.size}: the source is damaged"
    )
