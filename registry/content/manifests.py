"""Manifests: pushing, pulling and deleting images, indexes and artifacts.

Their bytes are kept in their rows, so that a push is one transaction and one sync. Manifests that an earlier basegate
recorded are in the blob store until they are pushed again.
"""

import time
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from registry.auth.principals import Principal
from registry.caches import AnswerCache, ContentCache
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.configurations import Configurations
from registry.content.derived import NOTHING_DERIVED, DerivedContent, DerivedManifest
from registry.content.immutability import immutable_in
from registry.content.parsing import Parsing
from registry.content.pull_through import NO_PULL_THROUGH, PullThrough
from registry.content.pushed_rows import PushedRows
from registry.content.quotas import quota_of
from registry.database.statement import autocommit
from registry.gate import Decision, Gate, Push
from registry.metadata import locks, repositories, transactions
from registry.metadata import manifests as rows
from registry.metadata.manifests import ManifestRow
from registry.metadata.reachability import reaches_any
from registry.metadata.store import MetadataStore
from registry.metadata.tag_lookups import TagLookups
from registry.metadata.transactions import ChangeContext, ManifestChange, RemovedRepository
from registry.metadata.unknown_content import named_by
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import (
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestUnknown,
    NameUnknown,
    OciError,
    Unsupported,
    UpstreamUnavailable,
)
from registry.oci.manifest import ImageIndex, Manifest, parse_manifest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.storage.blob_store import BlobStore

_ANSWERS = 10_000


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest that was pulled: its bytes as pushed, and the gate's warnings."""

    digest: Digest
    media_type: str
    raw: bytes
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PushedManifest:
    """A manifest that was recorded, for the response to the push."""

    digest: Digest
    subject: Digest | None
    tags: tuple[Tag, ...]
    warnings: tuple[str, ...] = ()


class Manifests:
    """Manifests of repositories."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        storage: BlobStore,
        metadata: MetadataStore,
        gate: Gate,
        settings: SettingsInForce[RegistrySettings],
        parsing: Parsing,
        derived: DerivedContent = NOTHING_DERIVED,
        pull_through: PullThrough = NO_PULL_THROUGH,
    ) -> None:
        self._pull_through = pull_through
        self._storage = storage
        self._metadata = metadata
        self._gate = gate
        self._derived = derived
        self._settings = settings
        self._parsing = parsing
        self._contents = ContentCache(settings.current.storage.manifest_cache_bytes)
        self._rows: AnswerCache[ManifestRow] = AnswerCache(_ANSWERS)
        self._pushed = PushedRows(storage, metadata, self._parsing)
        self._configurations = Configurations(storage, self._parsing)

    async def pull(self, principal: Principal, repository: RepositoryName, reference: Reference) -> StoredManifest:
        """The manifest that a tag or digest names.

        Raises:
            NameUnknown: there is no such repository.
            ManifestUnknown: it has no such manifest, or its bytes are damaged.
            Locked: it, the tag or the repository is locked against reads.
            Denied: the gate withholds it from this principal.
            UpstreamUnavailable: it is being fetched.
        """
        try:
            notes = await self._bring(repository, reference)
            row = await self._find(repository, reference)
        except (ManifestUnknown, UpstreamUnavailable):
            derived = await self._derived.manifest(repository, reference)
            if derived is None:
                raise
            return await self._pull_derived(principal, repository, derived)
        tag = reference if isinstance(reference, Tag) else None
        decision = await self._gate.before_manifest_pull(principal, repository, row.digest, tag)
        if not decision.allowed:
            raise Denied(decision.message, decision.detail)
        await self._require_whole(repository, row.digest)
        content = await self._content(repository, row)
        merged = await self._derived.merged(repository, tag, content) if tag and self._derived.shares(tag) else None
        if merged is not None:
            return await self._pull_derived(principal, repository, merged)
        return StoredManifest(row.digest, row.media_type, content, (*notes, *decision.warnings))

    async def _bring(self, repository: RepositoryName, reference: Reference) -> tuple[str, ...]:
        """Have the manifest here, where the repository has an upstream; returns warnings."""
        if not self._pull_through.covers(repository):
            return ()
        if isinstance(reference, Digest) and await self._derived.manifest(repository, reference) is not None:
            return ()
        return await self._pull_through.bring_manifest(repository, reference)

    async def _pull_derived(
        self, principal: Principal, repository: RepositoryName, derived: DerivedManifest
    ) -> StoredManifest:
        """A manifest that is derived from another, to be had by those who may pull that one."""
        subject = await self._find(repository, derived.subject)
        decision = await self._gate.before_manifest_pull(principal, repository, subject.digest, None)
        if not decision.allowed:
            raise Denied(decision.message, decision.detail)
        await self._require_whole(repository, subject.digest)
        return StoredManifest(derived.digest, derived.media_type, derived.raw)

    async def _require_whole(self, repository: RepositoryName, digest: Digest) -> None:
        """Raise ManifestUnknown for damaged content: clients push nothing below a manifest that exists."""
        withheld = self._storage.quarantine.withheld()
        if withheld and (below := await self._metadata.read(reaches_any, repository, digest, withheld)):
            raise ManifestUnknown(
                f"{below} of manifest {digest} is damaged or missing: push the image again", {"digest": digest}
            )

    async def push(  # noqa: PLR0913, PLR0917
        self,
        principal: Principal,
        repository: RepositoryName,
        reference: Reference,
        raw: bytes,
        content_type: str,
        tags: tuple[Tag, ...] = (),
        *,
        mirrored: bool = False,
        cause: str = "",
    ) -> PushedManifest:
        """Record a manifest and point tags at it.

        Args:
            principal: the caller.
            repository: the target.
            reference: a tag to set, or the digest of `raw`.
            raw: the bytes, stored unchanged.
            content_type: the request's Content-Type.
            tags: further tags to set.
            mirrored: whether it comes from the repository's upstream; an index may then name what is not here yet.
            cause: why, for its events, where it is none of the usual.

        Raises:
            ManifestInvalid, ManifestBlobUnknown, DigestInvalid: the manifest or its configuration is not acceptable.
            Denied: the gate refuses it, or a tag is immutable.
            Locked: the repository, or a tag that would move, is locked against writes.
            QuotaExceeded: the repository has no room.
        """
        self._storage.reserve.require()
        if self._pull_through.covers(repository) and not mirrored:
            self._pull_through.require_pushable(repository)
        change = await self._parsing.read(
            len(raw), partial(self._change, repository, reference, raw, content_type, tags, mirrored=mirrored)
        )
        quota = quota_of(self._settings.current, repository)
        at = ChangeContext(repository, principal.id, time.time(), quota, "mirror" if mirrored else cause)
        try:
            await self._pushed.require_acceptable(at, change)
        except ManifestBlobUnknown as error:
            # Clients upload nothing that a HEAD has found, and derived blobs are found.
            if not await self._derived.keep(at, named_by(error)):
                raise
            await self._pushed.require_acceptable(at, change)
        await self._configurations.require_right(change.manifest, self._settings.current.limits.manifest_bytes)
        decision = await self._ask(principal, repository, raw, change)
        change = replace(change, alongside=decision.alongside)
        await self._pushed.record(at, change)
        self._contents.put(change.digest, raw)
        self._storage.quarantine.manifest_is_whole(change.digest)
        subject = None if change.manifest.subject is None else change.manifest.subject.digest
        return PushedManifest(change.digest, subject, change.tags, tuple(decision.warnings))

    async def delete(
        self, repository: RepositoryName, reference: Reference, principal: Principal | None = None
    ) -> None:
        """Delete a tag alone, or a manifest with all its tags; `principal`: the caller.

        Raises:
            NameUnknown, ManifestUnknown: there is none.
            Denied: the tag, or one of the manifest's, is immutable.
            Locked: one of them, the manifest or the repository is locked against deletes or writes.
            Unsupported: deletes are switched off.
        """
        self._require_deletes()
        at = ChangeContext(repository, principal.id if principal else "", time.time())
        is_immutable = immutable_in(self._settings.current, repository)
        if isinstance(reference, Tag):
            await self._metadata.write(transactions.drop_tag, at, reference, is_immutable)
        else:
            await self._metadata.write(transactions.drop_manifest, at, reference, is_immutable)

    async def delete_all(self, principal: Principal, repository: RepositoryName) -> RemovedRepository:
        """Delete a repository with everything in it; returns what that was.

        Raises:
            NameUnknown: there is none.
            Denied: one of its tags is immutable.
            Locked: it, or something in it, is locked against deletes or writes.
            Unsupported: deletes are switched off, or something in it is under a hold.
        """
        self._require_deletes()
        at = ChangeContext(repository, principal.id, time.time())
        is_immutable = immutable_in(self._settings.current, repository)
        return await self._metadata.write(transactions.drop_repository, at, is_immutable)

    def _require_deletes(self) -> None:
        if not self._settings.current.manifests.deletes:
            raise Unsupported("this registry does not delete tags or manifests: see the setting manifests.deletes")

    async def _find(self, repository: RepositoryName, reference: Reference) -> ManifestRow:
        lookups = self._metadata.tag_lookups() if isinstance(reference, Tag) else None
        if lookups is not None and isinstance(reference, Tag):
            return await self._find_tagged(lookups, repository, reference)
        # Read before the rows: after a write in between, the cached answer is unused rather than wrong.
        generation = self._metadata.generation()
        cached = self._rows.get((repository, reference), generation)
        if cached is not None:
            return cached
        row = await self._metadata.read(_find, repository, reference)
        self._rows.put((repository, reference), generation, row)
        return row

    async def _find_tagged(self, lookups: TagLookups, repository: RepositoryName, tag: Tag) -> ManifestRow:
        found = await lookups.find(repository, tag)
        if found.row is None:
            raise _unknown(repository, tag, is_repository=found.is_repository)
        if found.row.may_be_locked:
            return await self._metadata.read(_find, repository, tag)
        return found.row

    async def _content(self, repository: RepositoryName, row: ManifestRow) -> bytes:
        content = self._contents.get(row.digest)
        if content is None:
            content = await content_of(self._storage, self._metadata, repository, row)
            if content is None:
                await self._metadata.read(_find, repository, row.digest)  # deleted meanwhile: ManifestUnknown
                self._storage.quarantine.note_manifest(row.digest, b"", "its bytes are lost")
                raise ManifestUnknown(
                    f"the bytes of manifest {row.digest} are damaged or lost: push it again", {"digest": row.digest}
                )
            self._contents.put(row.digest, content)
        return content

    async def _ask(
        self, principal: Principal, repository: RepositoryName, raw: bytes, change: ManifestChange
    ) -> Decision:
        push = Push(repository, change.digest, change.manifest, raw, change.tags, principal)
        decision = await self._gate.before_push(push)
        if not decision.allowed:
            raise Denied(decision.message, decision.detail)
        return decision

    def _change(  # noqa: PLR0913
        self,
        repository: RepositoryName,
        reference: Reference,
        raw: bytes,
        content_type: str,
        tags: tuple[Tag, ...],
        *,
        mirrored: bool,
    ) -> ManifestChange:
        manifest = parse_manifest(raw, content_type)
        settings = self._settings.current
        named = (reference, *tags) if isinstance(reference, Tag) else tags
        named_blobs, children, members = needed_by(manifest, sparse=mirrored or settings.manifests.sparse_indexes)
        return ManifestChange(
            digest=_digest_of(raw, reference),
            raw=raw,
            manifest=manifest,
            tags=tuple(dict.fromkeys(named)),
            blobs=named_blobs,
            children=children,
            frozen=frozenset(filter(immutable_in(settings, repository), named)),
            members=members,
            mirrored=mirrored if self._pull_through.covers(repository) else None,
        )


async def content_of(
    storage: BlobStore, metadata: MetadataStore, repository: RepositoryName, row: ManifestRow
) -> bytes | None:
    """The bytes of a recorded manifest, from its row or the blob store; `None` when they are lost or damaged."""
    raw = await metadata.read(rows.content, repository, row.digest)
    if raw is None:
        return await storage.get(row.digest, row.size)
    if Digest.of(raw, row.digest.algorithm) == row.digest:
        return raw
    storage.quarantine.note_manifest(row.digest, raw, f"the {len(raw)} bytes of its row have another digest")
    return None


def _digest_of(raw: bytes, reference: Reference) -> Digest:
    if isinstance(reference, Tag):
        return Digest.of(raw)
    digest = Digest.of(raw, reference.algorithm)
    if digest != reference:
        raise DigestInvalid(
            f"the manifest has digest {digest}, the path says {reference}", {"announced": reference, "found": digest}
        )
    return digest


def needed_by(manifest: Manifest, *, sparse: bool) -> tuple[tuple[Digest, ...], tuple[Digest, ...], tuple[Digest, ...]]:
    """The blobs, the manifests, and the content of either kind that it requires; non-distributable layers are not.

    `sparse`: an index requires nothing.
    """
    if isinstance(manifest, ImageIndex):
        if sparse:
            return (), (), ()
        members = {child.digest for child in manifest.members}
        children = {child.digest for child in manifest.manifests if media_types.is_manifest(child.media_type)}
        return (), tuple(children), tuple(members - children)
    here = [layer for layer in manifest.layers if layer.media_type not in media_types.FOREIGN_LAYERS]
    return tuple({item.digest for item in (manifest.config, *here)}), (), ()


@autocommit
def _find(connection: Connection, repository: RepositoryName, reference: Reference) -> ManifestRow:
    if isinstance(reference, Tag):
        row = rows.find_tagged(connection, repository, reference)
    else:
        row = rows.find(connection, repository, reference)
    if row is not None:
        if row.may_be_locked:
            tag = reference if isinstance(reference, Tag) else ""
            locks.require_readable(connection, repository, row.digest, tag)
        return row
    raise _unknown(repository, reference, is_repository=repositories.find(connection, repository) is not None)


def _unknown(repository: RepositoryName, reference: Reference, *, is_repository: bool) -> OciError:
    if not is_repository:
        return NameUnknown(f"this registry holds no repository {repository}", {"name": repository})
    return ManifestUnknown(f"{repository} has no manifest {reference}", {"reference": reference})
