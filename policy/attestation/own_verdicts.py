"""Recognises verdicts of this registry among what others push: in their place stands the one that holds now."""

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from policy.attestation.own_signatures import is_signed_by
from policy.attestation.settings import AttestSettings
from registry.caches import SizedCache
from registry.metadata import manifests, referrers
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import ContentTooLarge
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore

_BUNDLES = "application/vnd.dev.sigstore.bundle"
_REMEMBERED = 20_000
_NESTING = 4
_MOST_IMAGES = 100


class _Parts(NamedTuple):
    """What of a manifest a verifier reads: the only layer, if it is a bundle, or the images of an index."""

    bundle: Digest | None = None
    images: tuple[Digest, ...] = ()


_NOTHING = _Parts()


class OwnVerdicts:
    """Looks into what was pushed, and remembers what it found: content never changes.

    Args:
        storage: where the content is.
        metadata: which manifests there are.
        keys: the public keys of this registry, earlier ones too.
        settings: those in force.
    """

    def __init__(
        self,
        storage: BlobStore,
        metadata: MetadataStore,
        keys: Callable[[], Sequence[EllipticCurvePublicKey]],
        settings: Callable[[], AttestSettings],
    ) -> None:
        self._storage = storage
        self._metadata = metadata
        self._keys = keys
        self._settings = settings
        self._parts: SizedCache[Digest, _Parts] = SizedCache(_REMEMBERED)
        self._known: SizedCache[Digest, bool] = SizedCache(_REMEMBERED)

    async def among_manifests(self, repository: RepositoryName, digests: Collection[Digest]) -> set[Digest]:
        """Those of these manifests of a repository in which verifiers find such a verdict."""
        unknown = [digest for digest in digests if digest not in self._parts]
        if unknown:  # one look at the rows settles almost all of a long list
            for digest in await self._metadata.read(referrers.without_layers_of, repository, unknown, _BUNDLES):
                self._parts.put(digest, _NOTHING)
        return {digest for digest in digests if await self._publishes(repository, digest)}

    async def among_blobs(self, digests: Collection[Digest]) -> set[Digest]:
        """Those of these blobs that hold such a verdict."""
        return {digest for digest in digests if await self._holds(digest)}

    async def _publishes(self, repository: RepositoryName, digest: Digest, depth: int = 0) -> bool:
        parts = await self._parts_of(repository, digest)
        if parts.bundle is not None:
            return await self._holds(parts.bundle)
        if parts.images and (depth == _NESTING or len(parts.images) > _MOST_IMAGES):
            return True  # beyond what is looked through
        for image in parts.images:
            if await self._publishes(repository, image, depth + 1):
                return True
        return False

    async def _parts_of(self, repository: RepositoryName, digest: Digest) -> _Parts:
        known = self._parts.get(digest)
        if known is not None:
            return known
        raw = await self._metadata.read(manifests.content, repository, digest)
        if raw is None:
            raw = await self._storage.get(digest, self._settings().bundle_bytes)
        if raw is None:
            return _NOTHING
        parts = await asyncio.to_thread(_parts, raw)
        self._parts.put(digest, parts)
        return parts

    async def _holds(self, digest: Digest) -> bool:
        """Whether a blob holds one; where that cannot be told by looking, it is taken for one."""
        known = self._known.get(digest)
        if known is not None:
            return known
        try:
            raw = await self._storage.get(digest, self._settings().bundle_bytes)
        except ContentTooLarge:
            return True
        if raw is None:
            return False
        found = await asyncio.to_thread(is_signed_by, raw, self._keys())
        self._known.put(digest, found)
        return found


def _parts(raw: bytes) -> _Parts:
    """Of a manifest that was accepted; verifiers pass over those with other layers, or several."""
    document: dict[str, Any] = json.loads(raw)
    images, layers = document.get("manifests") or [], document.get("layers") or []
    if images:
        return _Parts(None, tuple(Digest(image["digest"]) for image in images))
    if len(layers) == 1 and str(layers[0].get("mediaType")).startswith(_BUNDLES):
        return _Parts(Digest(layers[0]["digest"]))
    return _NOTHING
