"""Blobs: pull, mount, delete."""

import time
from collections.abc import AsyncIterator, Callable

from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.caches import AnswerCache
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.derived import NOTHING_DERIVED, DerivedContent, DerivedStoredBlob
from registry.content.presence import tell_missing, whole_blob
from registry.content.quotas import quota_of
from registry.gate import Gate
from registry.metadata import blobs as rows
from registry.metadata import locks, transactions
from registry.metadata.store import MetadataStore
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, Denied, Unsupported
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore, LinkingStore, StoredBlob

# How many repositories are tried when a mount names no source.
_SOURCES = 100
_ANSWERS = 10_000


class Blobs:
    """Blobs of repositories. A blob belongs only to the repositories that it was pushed to or mounted into."""

    def __init__(
        self,
        storage: BlobStore,
        metadata: MetadataStore,
        gate: Gate,
        settings: SettingsInForce[RegistrySettings],
        derived: DerivedContent = NOTHING_DERIVED,
    ) -> None:
        self._storage = storage
        self._metadata = metadata
        self._gate = gate
        self._derived = derived
        self._settings = settings
        self._sizes: AnswerCache[int] = AnswerCache(_ANSWERS)
        self._readable: AnswerCache[bool] = AnswerCache(_ANSWERS)

    async def head(self, principal: Principal, repository: RepositoryName, digest: Digest) -> StoredBlob:
        """The blob for a HEAD, as `pull` gives it. A caller that may push resets its age: a manifest may follow."""
        blob = await self.pull(principal, repository, digest)
        if principal.may(Action.PUSH, repository):
            await self._keep_young(repository, digest)
        return blob

    async def _keep_young(self, repository: RepositoryName, digest: Digest) -> None:
        """Reset the age of a blob that a manifest may soon name; at most one write per quarter of its time."""
        now = time.time()
        before = now - self._settings.current.gc.grace_seconds / 4
        if await self._metadata.read(rows.is_older, repository, digest, before):
            await self._metadata.write(rows.make_young, repository, digest, before, now)

    async def pull(self, principal: Principal, repository: RepositoryName, digest: Digest) -> StoredBlob:
        """The blob, to be sent from its path or through `read`.

        Raises:
            BlobUnknown: this repository does not hold it, or its bytes are gone or damaged.
            Locked: the repository is locked against reads.
            Denied: the gate withholds it from this principal.
        """
        blob = await self._find(repository, digest)
        if blob is None:
            return await self._pull_derived(principal, repository, digest)
        if not await self._is_readable(repository):
            raise locks.refusal(repository, locks.REPOSITORY, "reads")
        decision = await self._gate.before_blob_pull(principal, repository, digest)
        if not decision.allowed:
            raise Denied(decision.message, decision.detail)
        return blob

    async def _pull_derived(self, principal: Principal, repository: RepositoryName, digest: Digest) -> StoredBlob:
        """A blob that is derived from a manifest, to be had by those who may pull that one."""
        derived = await self._derived.blob(repository, digest)
        if derived is None:
            raise BlobUnknown(f"{repository} holds no blob {digest}", {"digest": digest})
        if not await self._is_readable(repository):
            raise locks.refusal(repository, locks.REPOSITORY, "reads")
        if derived.subject is not None:
            decision = await self._gate.before_manifest_pull(principal, repository, derived.subject, None)
            if not decision.allowed:
                raise Denied(decision.message, decision.detail)
        content = derived.content
        return DerivedStoredBlob(digest=digest, size=len(content), path=None, modified=time.time(), content=content)

    async def _is_readable(self, repository: RepositoryName) -> bool:
        """Whether the repository is not locked against reads."""
        generation = self._metadata.generation()
        readable = self._readable.get(repository, generation)
        if readable is None:
            readable = await self._metadata.read(locks.is_readable, repository)
            self._readable.put(repository, generation, readable)
        return readable

    async def _find(self, repository: RepositoryName, digest: Digest) -> StoredBlob | None:
        # Read before the row: after a write in between, the cached answer is unused rather than wrong.
        generation = self._metadata.generation()
        size = self._sizes.get((repository, digest), generation)
        if size is None:
            size = await self._metadata.read(rows.size_of, repository, digest)
            if size is None:
                return None
            self._sizes.put((repository, digest), generation, size)
        blob = await whole_blob(self._storage, digest, size)
        if blob is None:
            await tell_missing(self._storage, self._metadata, repository, [digest])
        return blob

    async def link(self, blob: StoredBlob) -> str | None:
        """Where the caller of `pull` may fetch the bytes by itself, by the settings; `None`: here."""
        settings = self._settings.current.storage
        if not settings.redirect or blob.size < settings.redirect_bytes or not isinstance(self._storage, LinkingStore):
            return None
        return await self._storage.link(blob, settings.redirect_seconds)

    def read(self, blob: StoredBlob, start: int, length: int) -> AsyncIterator[bytes]:
        """The bytes `[start, start + length)` in pieces of at most 1 MiB."""
        if isinstance(blob, DerivedStoredBlob):
            return _piece(blob.content[start : start + length])
        return self._storage.read(blob, start, length)

    async def delete(self, repository: RepositoryName, digest: Digest, principal: Principal | None = None) -> None:
        """Unlink the blob from the repository; garbage collection removes bytes that no repository needs.

        `principal`: the caller.

        Raises:
            BlobUnknown: this repository does not hold it.
            Unsupported: deletes are switched off, or a manifest of the repository names the blob.
        """
        if not self._settings.current.manifests.deletes:
            raise Unsupported("this registry does not delete blobs: see the setting manifests.deletes")
        at = ChangeContext(repository, principal.id if principal else "", time.time())
        await self._metadata.write(transactions.drop_blob, at, digest)

    async def mount(
        self,
        principal: Principal,
        target: RepositoryName,
        digest: Digest,
        source: RepositoryName | None,
        readable: Callable[[RepositoryName], bool],
    ) -> bool:
        """Link a blob of another repository into `target` (distribution-spec, "Mounting a blob").

        Args:
            principal: the caller; what the gate withholds from it in the source is not mounted either.
            target: where the blob is wanted.
            digest: the blob.
            source: where it is; `None` tries the repositories that hold it.
            readable: whether the principal may pull from a repository.

        Returns:
            Whether it is linked now. If not, the client uploads it. The reason is not given: it would reveal what other
            repositories hold.

        Raises:
            QuotaExceeded: the target would hold more than its quota.
        """
        sources = [source] if source else await self._metadata.read(rows.holders, digest, _SOURCES)
        at = ChangeContext(target, principal.id, time.time(), quota_of(self._settings.current, target))
        for candidate in sources:
            if not readable(candidate):
                continue
            if await self._find(candidate, digest) is None or not await self._is_readable(candidate):
                continue
            if not (await self._gate.before_blob_pull(principal, candidate, digest)).allowed:
                continue
            if await self._metadata.write(transactions.mount_blob, at, digest, candidate):
                return True
        return False


async def _piece(content: bytes) -> AsyncIterator[bytes]:
    yield content
