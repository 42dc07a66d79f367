"""Fetching a manifest with everything it needs, and recording it as a push does: last, and in one transaction."""

import asyncio
import time
from contextlib import suppress
from functools import partial

from registry.content.manifests import Manifests
from registry.content.parsing import Parsing
from registry.metadata import manifests as rows
from registry.metadata import mirrored
from registry.metadata.mirrored import KnownTag
from registry.metadata.store import MetadataStore
from registry.mirror.blob_fetch import MIRROR, BlobFetch
from registry.mirror.damage import Damage
from registry.mirror.upstream import Upstream
from registry.oci import media_types
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.manifest import ImageIndex, ImageManifest, parse_manifest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.registry_client.errors import Absent, Unusable
from registry.registry_client.pull import RemoteManifest

_NESTING = 5


class ManifestFetch:
    """Brings manifests here.

    Args:
        metadata: what is here already.
        damage: of what is here.
        parsing: reads long ones beside the event loop.
        manifests: records them.
        fetch: brings their blobs.
    """

    def __init__(
        self, metadata: MetadataStore, damage: Damage, parsing: Parsing, manifests: Manifests, fetch: BlobFetch
    ) -> None:
        self._metadata = metadata
        self._damage = damage
        self._parsing = parsing
        self._manifests = manifests
        self._fetch = fetch

    async def by_digest(self, upstream: Upstream, repository: RepositoryName, digest: Digest, depth: int = 0) -> None:
        """Have a manifest here by its digest; the upstream is not asked for one that is here whole.

        Raises:
            RemoteError: the upstream does not give it, or not all of its content.
            OciError: it is not accepted here, by the gate perhaps.
        """
        here = await self._metadata.read(rows.find, repository, digest)
        if here is None or await self._damage.spoils(repository, digest):
            remote = await upstream.manifest(repository, digest)
            await self._take(upstream, repository, remote, digest, depth)

    async def subject(self, upstream: Upstream, repository: RepositoryName, digest: Digest, depth: int = 0) -> None:
        """Have here what a referrer refers to, if the upstream has it: what is withheld, withholds its referrers."""
        with suppress(Absent):
            await self.by_digest(upstream, repository, digest, depth)

    async def by_tag(self, upstream: Upstream, repository: RepositoryName, tag: Tag, known: KnownTag | None) -> None:
        """Have here what the upstream has under a tag now; `known`: what it was before. Raises as `by_digest` does."""
        name = upstream.name_of(repository)
        if known is not None and await upstream.client.pull.resolve(name, tag) == known.digest:
            await self._metadata.write(mirrored.check_tag, repository, tag, known.digest, time.time())
            return
        remote = await upstream.manifest(repository, tag)
        await self._take(upstream, repository, remote, tag, 0)

    async def _take(
        self, upstream: Upstream, repository: RepositoryName, remote: RemoteManifest, reference: Reference, depth: int
    ) -> None:
        manifest = await self._parsing.read(len(remote.raw), partial(parse_manifest, remote.raw, remote.media_type))
        if depth > _NESTING:
            raise Unusable(f"{upstream.endpoint.name} nests manifests deeper than {_NESTING} levels below {repository}")
        if manifest.subject is not None:
            await self.subject(upstream, repository, manifest.subject.digest, depth + 1)
        if isinstance(manifest, ImageManifest):
            await self._bring_blobs(upstream, repository, manifest)
        else:
            for child in _first(manifest, upstream):
                await self.by_digest(upstream, repository, child.digest, depth + 1)
        await self._manifests.push(MIRROR, repository, reference, remote.raw, remote.media_type, mirrored=True)

    async def _bring_blobs(self, upstream: Upstream, repository: RepositoryName, manifest: ImageManifest) -> None:
        layers = (layer for layer in manifest.layers if layer.media_type not in media_types.FOREIGN_LAYERS)
        needed = list({blob.digest: blob for blob in (manifest.config, *layers)}.values())
        total, most = sum(blob.size for blob in needed), upstream.settings.image_bytes
        if total > most:
            raise Unusable(
                f"{upstream.endpoint.name} has an image of {total} bytes there, and {most} are taken: raise "
                f"image_bytes of the upstream {upstream.settings.prefix}"
            )
        waiting = iter(needed)

        async def bring() -> None:
            for blob in waiting:
                await upstream.blobs.join(
                    (repository, blob.digest), partial(self._fetch.fetch, upstream, repository, blob)
                )

        async with asyncio.TaskGroup() as group:
            for _ in range(min(upstream.share, len(needed))):
                group.create_task(bring())


def _first(index: ImageIndex, upstream: Upstream) -> list[Descriptor]:
    """The images of an index that are fetched with it: those of the wanted platforms, else its first."""
    children = [child for child in index.manifests if media_types.is_manifest(child.media_type)]
    running = [child for child in children if child.platform is None or not child.platform.is_unknown]
    wanted = [child for child in running if _is_wanted(child, upstream)]
    return list({child.digest: child for child in wanted or running[:1]}.values())


def _is_wanted(child: Descriptor, upstream: Upstream) -> bool:
    if child.platform is None:
        return True
    own = child.platform.normal
    return any(own.is_alike(each) and each.variant in {"", own.variant} for each in upstream.settings.wanted)
