"""Copies images from a source to a target: blobs first, then manifests from the leaves up, the named one at last.

What the target has is not read again. So a copy that was cut off, however, goes on where it was: at the blob, and
within it where the target has kept a part. Until the manifest that a tag names is recorded, nothing of the image can be
seen.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from registry.config.transfer import TransferSettings
from registry.oci import media_types
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest, new_hasher, require_digest
from registry.oci.errors import DigestInvalid
from registry.oci.manifest import ImageIndex, ImageManifest, Manifest
from registry.oci.names import Tag
from registry.transfer.contents import Recorded, Source, SourceImage, Target
from registry.transfer.errors import SourceUnusable
from registry.transfer.events import Event, Listener, nobody
from registry.transfer.parsing import parsed
from registry.transfer.platforms import Selection


@dataclass(frozen=True, slots=True)
class Copied:
    """An image that the target has now.

    Attributes:
        digest: of its manifest there; not that of the source when platforms were chosen.
        tag: under which it was recorded; `None`: by its digest.
        name: how the source calls it.
        new: whether anything was recorded.
        referrers: manifests that refer to it, or to what it names, and came along.
        warnings: what the target's gate says of it.
    """

    digest: Digest
    tag: Tag | None
    name: str
    new: bool
    referrers: int
    warnings: tuple[str, ...]


class Copying:
    """Copies from one source to one target, one image after the other.

    Args:
        source: where content comes from.
        target: where it goes.
        limits: of what is followed.
        listener: told of every step.
        selection: the platforms that are wanted.
        referrers: whether what refers to an image goes along.
        leave: which referrers stay behind all the same.
    """

    def __init__(  # noqa: PLR0913
        self,
        source: Source,
        target: Target,
        limits: TransferSettings,
        *,
        listener: Listener = nobody,
        selection: Selection,
        referrers: bool = True,
        leave: Callable[[Descriptor], bool] = lambda _referrer: False,
    ) -> None:
        self._source = source
        self._target = target
        self._limits = limits
        self._tell = listener
        self._selection = selection
        self._with_referrers = referrers
        self._leave = leave
        self._done: set[Digest] = set()
        self._manifests = 0

    async def copy(self, image: SourceImage, tag: Tag | None) -> Copied:
        """Copy one image, under a tag or by its digest.

        Raises:
            SourceUnusable: the source is not as it says.
            BasegateError: the target does not take it.
        """
        chosen = await self._selection.choose(self._source, image.descriptor, self._read)
        digest, reference = chosen.descriptor.digest, tag or chosen.descriptor.digest
        warnings: tuple[str, ...] = ()
        new = await self._target.digest_of(reference) != digest
        if new:
            warnings = (await self._manifest(chosen.descriptor, chosen.raw, reference)).warnings
        else:
            self._tell(Event("manifest", "there", digest, chosen.descriptor.size))
        self._done.add(digest)
        referrers = await self._referrers(digest, chosen.raw, chosen.descriptor) if self._with_referrers else 0
        return Copied(digest, tag, image.name, new, referrers, warnings)

    async def _manifest(self, descriptor: Descriptor, raw: bytes, reference: Tag | Digest, depth: int = 0) -> Recorded:
        """Everything that a manifest needs, then the manifest."""
        if depth > self._limits.depth:
            raise SourceUnusable(f"indexes lie more than {self._limits.depth} deep in the source (transfer.depth)")
        self._count()
        if await self._target.digest_of(descriptor.digest) is None:
            await self._needs(await parsed(raw, descriptor.media_type), depth)
        recorded = await self._target.put_manifest(reference, raw, descriptor.media_type)
        self._tell(Event("manifest", "done", descriptor.digest, len(raw), len(raw)))
        return recorded

    async def _needs(self, manifest: Manifest, depth: int) -> None:
        if isinstance(manifest, ImageManifest):
            for blob in _unique((manifest.config, *manifest.layers)):
                await self._blob(blob)
            return
        for child in _unique(manifest.manifests):
            if not media_types.is_manifest(child.media_type):
                await self._blob(child)
            elif child.digest not in self._done:
                await self._child(child, depth)

    async def _child(self, child: Descriptor, depth: int) -> None:
        if await self._target.digest_of(child.digest) is not None:
            self._tell(Event("manifest", "there", child.digest, child.size))
        else:
            await self._manifest(child, await self._read(child), child.digest, depth + 1)
        self._done.add(child.digest)

    async def _blob(self, descriptor: Descriptor) -> None:
        if descriptor.digest in self._done:
            return
        if await self._target.has_blob(descriptor):
            self._tell(Event("blob", "there", descriptor.digest, descriptor.size))
        elif descriptor.media_type not in media_types.FOREIGN_LAYERS or await self._source.holds(descriptor):
            self._tell(Event("blob", "begun", descriptor.digest, descriptor.size))
            await self._target.put_blob(descriptor, partial(self._checked, descriptor))
            self._tell(Event("blob", "done", descriptor.digest, descriptor.size, descriptor.size))
        self._done.add(descriptor.digest)

    async def _checked(self, descriptor: Descriptor, start: int) -> AsyncIterator[bytes]:
        """The bytes of a blob. Ends in an error, before the last piece, when they are not those of its digest.

        A part from an offset on, for a registry that has the rest, is checked by that registry alone.
        """
        hasher, moved, held = new_hasher(descriptor.digest.algorithm), start, b""
        async for piece in self._source.blob(descriptor, start):
            if held:
                yield held
                self._tell(Event("blob", "bytes", descriptor.digest, descriptor.size, moved))
            hasher.update(piece)
            moved, held = moved + len(piece), piece
            if moved > descriptor.size:
                break
        if moved != descriptor.size:
            came = "more" if moved > descriptor.size else f"{moved} bytes"
            raise SourceUnusable(f"{descriptor.digest} should have {descriptor.size} bytes, and {came} came")
        if not start:
            _require_digest(descriptor.digest, f"{descriptor.digest.algorithm}:{hasher.hexdigest()}")
        if held:
            yield held

    async def _read(self, descriptor: Descriptor) -> bytes:
        """The bytes of a manifest, checked."""
        if descriptor.size > self._limits.document_bytes:
            raise SourceUnusable(
                f"manifest {descriptor.digest} has {descriptor.size} bytes: at most {self._limits.document_bytes} are "
                "read (transfer.document_bytes)"
            )
        raw = await self._source.manifest(descriptor)
        _require_digest(descriptor.digest, Digest.of(raw, descriptor.digest.algorithm))
        return raw

    async def _referrers(self, subject: Digest, raw: bytes | None, descriptor: Descriptor, depth: int = 0) -> int:
        """Copy what refers to a manifest, to its children and to its referrers; how many there are."""
        if depth > self._limits.depth:
            raise SourceUnusable(f"referrers lie more than {self._limits.depth} deep in the source (transfer.depth)")
        count = 0
        for referrer in await self._source.referrers(subject):
            if self._leave(referrer):
                continue
            count += 1
            if referrer.digest not in self._done:
                await self._child(referrer, 0)
                count += await self._referrers(referrer.digest, None, referrer, depth + 1)
        for child in await _children(raw, descriptor):
            count += await self._referrers(child.digest, None, child, depth)
        return count

    def _count(self) -> None:
        self._manifests += 1
        if self._manifests > self._limits.manifests:
            raise SourceUnusable(f"the source has more than {self._limits.manifests} manifests (transfer.manifests)")


async def _children(raw: bytes | None, descriptor: Descriptor) -> list[Descriptor]:
    manifest = None if raw is None else await parsed(raw, descriptor.media_type)
    children = manifest.manifests if isinstance(manifest, ImageIndex) else ()
    return [child for child in _unique(children) if media_types.is_manifest(child.media_type)]


def _unique(descriptors: Sequence[Descriptor]) -> list[Descriptor]:
    return list({descriptor.digest: descriptor for descriptor in descriptors}.values())


def _require_digest(announced: Digest, found: str) -> None:
    try:
        require_digest(announced, found)
    except DigestInvalid:
        raise SourceUnusable(
            f"what the source has as {announced} has digest {found}: the source is damaged, nothing of it was stored"
        ) from None
