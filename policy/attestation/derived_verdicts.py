"""Signed verdicts as derived content: referrers, the `.att` tag, and their blobs."""

import asyncio
import json
import re
from collections.abc import Callable, Collection, Sequence

from policy.attestation.attestations import Attestations
from policy.attestation.forms import EMPTY, EMPTY_DIGEST, ENVELOPE_TYPE, SUFFIX, Forms
from policy.attestation.own_verdicts import OwnVerdicts
from policy.attestation.settings import AttestSettings, Publication
from policy.attestation.stored_verdicts import StoredVerdicts
from policy.attestation.types import BUNDLE_TYPE
from registry.auth.principals import ATTESTER_ID
from registry.caches import SizedCache
from registry.content.derived import DerivedBlob, DerivedManifest
from registry.database.precondition import Precondition
from registry.metadata import attestations as rows
from registry.metadata import manifests, transactions
from registry.metadata.referrers import ReferrerRow
from registry.metadata.store import MetadataStore
from registry.metadata.transactions import ChangeContext
from registry.oci import media_types
from registry.oci.canonical_json import canonical_json
from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.storage.blob_store import BlobStore

_TAG = re.compile(r"sha256-([0-9a-f]{64})\.att")
_RECENT_BYTES = 1 << 20


class DerivedVerdicts:
    """Implements `registry.content.derived.DerivedContent`."""

    def __init__(
        self,
        attestations: Attestations,
        storage: BlobStore,
        metadata: MetadataStore,
        stored: StoredVerdicts,
        settings: Callable[[], AttestSettings],
    ) -> None:
        """`stored`: keeps those that are to be stored; `settings`: those in force."""
        self._attestations = attestations
        self._storage = storage
        self._metadata = metadata
        self._settings = settings
        self._stored = stored
        self._own = OwnVerdicts(storage, metadata, attestations.public_keys, settings)
        # Merged manifests: clients ask by tag, and then by the digest that they were told.
        self._merged: SizedCache[tuple[RepositoryName, Digest], DerivedManifest] = SizedCache(_RECENT_BYTES)

    async def referrers(self, repository: RepositoryName, subject: Digest, artifact_type: str) -> Sequence[ReferrerRow]:
        """The bundle of what holds of the subject now, unless it is stored and found there."""
        if self._settings().referrer is Publication.OFF or artifact_type not in {"", BUNDLE_TYPE}:
            return ()
        forms = await self._attestations.current(repository, subject)
        if forms is None:
            return ()
        is_stored = self._stored.is_on and await self._stored.kept(repository, forms)
        return () if is_stored and self._settings().referrer is Publication.STORED else (forms.entry,)

    async def replaced(
        self, repository: RepositoryName, subject: Digest, stored: Collection[Digest]
    ) -> Collection[Digest]:
        """Verdicts of this registry that others have pushed, but for the one that holds."""
        if self._settings().referrer is Publication.OFF:
            return ()
        found = await self._own.among_manifests(repository, stored)
        forms = await self._attestations.current(repository, subject) if found else None
        return found if forms is None else found - {forms.entry.digest}

    async def manifest(self, repository: RepositoryName, reference: Reference) -> DerivedManifest | None:
        """The tag of an image, or a manifest that publishes or has published a verdict."""
        if isinstance(reference, Tag):
            forms = await self._tagged(repository, reference)
            return None if forms is None else await self._under_tag(repository, forms)
        recent = self._merged.get((repository, reference))
        if recent is not None:
            return recent
        forms = await self._published(repository, reference)
        if forms is None:
            return None
        raw = forms.manifest(reference)
        return await self._merged_again(repository, reference, forms) if raw is None else _derived(forms, raw)

    def shares(self, tag: Tag) -> bool:
        """Those that end as cosign's attestations do."""
        return tag.endswith(SUFFIX) and self._settings().tag is not Publication.OFF

    async def merged(self, repository: RepositoryName, tag: Tag, stored: bytes) -> DerivedManifest | None:
        """The attestations that others have pushed, and the verdict that holds now in the place of earlier ones."""
        forms = await self._tagged(repository, tag)
        if forms is not None and await self._is_own_manifest(repository, stored):
            return await self._under_tag(repository, forms)
        derived = None if forms is None else await self._merge(repository, forms, stored)
        if derived is None or forms is None:
            return None
        if self._merged.get((repository, derived.digest)) is None:
            # So that it is found by the digest after a restart, and when memory has let go of it.
            await self._metadata.write(rows.publish, forms.row.id, derived.digest)
            self._merged.put((repository, derived.digest), derived, len(derived.raw))
        return derived

    async def _under_tag(self, repository: RepositoryName, forms: Forms) -> DerivedManifest:
        """The verdict alone, in the form that is stored, where it is."""
        in_store = self._settings().tag is Publication.STORED and await self._stored.kept(repository, forms)
        return _derived(forms, forms.tagged_in_store if in_store else forms.tagged)

    async def _is_own_manifest(self, repository: RepositoryName, stored: bytes) -> bool:
        pusher = await self._metadata.read(manifests.pusher_of, repository, Digest.of(stored))
        return pusher == ATTESTER_ID

    async def _merge(self, repository: RepositoryName, forms: Forms, stored: bytes) -> DerivedManifest | None:
        """A verdict among the attestations of others; `None` when these are of another form, and none of ours in it.

        An index has no attestations: verifiers would read an image of it, and the verdict stands in its place.
        """
        # Beside the loop: others push as many layers as they like.
        document = await asyncio.to_thread(json.loads, stored)
        layers = document.get("layers")
        if not isinstance(layers, list):
            return await self._under_tag(repository, forms)
        digests = {Digest(layer["digest"]) for layer in layers}
        own = await self._published_among(repository, digests) | await self._own.among_blobs(digests)
        if not own and any(layer.get("mediaType") != ENVELOPE_TYPE for layer in layers):
            return None
        others = [layer for layer in layers if layer["digest"] not in own]
        raw = await asyncio.to_thread(canonical_json, {**document, "layers": [*others, forms.tagged_layer]})
        return _derived(forms, raw, str(document.get("mediaType") or media_types.OCI_MANIFEST))

    async def _merged_again(self, repository: RepositoryName, digest: Digest, forms: Forms) -> DerivedManifest | None:
        """A merged manifest by its digest, as long as what others have pushed is under the tag."""
        row = await self._metadata.read(manifests.find_tagged, repository, forms.tag)
        stored = None if row is None else await self._metadata.read(manifests.content, repository, row.digest)
        derived = None if stored is None else await self._merge(repository, forms, stored)
        return derived if derived is not None and derived.digest == digest else None

    async def blob(self, repository: RepositoryName, digest: Digest) -> DerivedBlob | None:
        """A bundle, an envelope or a configuration; and the empty configuration, where there is a bundle."""
        if digest == EMPTY_DIGEST:
            some = self._settings().is_on and await self._metadata.read_apart(rows.any_in, repository)
            return DerivedBlob(None, EMPTY) if some else None
        forms = await self._published(repository, digest)
        content = None if forms is None else forms.blob(digest)
        return None if forms is None or content is None else DerivedBlob(forms.row.subject.digest, content)

    async def keep(self, at: ChangeContext, blobs: Collection[Digest]) -> bool:
        """Those that somebody pushes a manifest about, such as a copy, or a merged list of attestations."""
        kept = False
        for digest in await self._published_among(at.repository, blobs) | ({EMPTY_DIGEST} & set(blobs)):
            derived = await self.blob(at.repository, digest)
            if derived is not None:
                blob = await self._storage.put(digest, derived.content)
                size = len(derived.content)
                await self._metadata.write(transactions.take_blob, at, digest, size, Precondition(blob.still_there))
                kept = True
        return kept

    async def _tagged(self, repository: RepositoryName, tag: Tag) -> Forms | None:
        named = _TAG.fullmatch(tag)
        if named is None or self._settings().tag is Publication.OFF:
            return None
        return await self._attestations.current(repository, Digest(f"sha256:{named[1]}"))

    async def _published(self, repository: RepositoryName, digest: Digest) -> Forms | None:
        return await self._attestations.published(repository, digest) if self._settings().is_on else None

    async def _published_among(self, repository: RepositoryName, digests: Collection[Digest]) -> set[Digest]:
        """Those that publish a verdict: a hostile manifest names thousands of digests that do not."""
        if not self._settings().is_on:
            return set()
        return await self._metadata.read_apart(rows.published_among, repository, digests)


def _derived(forms: Forms, raw: bytes, media_type: str = media_types.OCI_MANIFEST) -> DerivedManifest:
    return DerivedManifest(forms.row.subject.digest, Digest.of(raw), media_type, raw)
