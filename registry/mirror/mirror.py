"""Implements `registry.content.pull_through.PullThrough` over the upstreams of the settings."""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from registry.caches import SizedCache
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.config.upstreams import upstream_of
from registry.content.manifests import Manifests
from registry.content.parsing import Parsing
from registry.content.pull_through import require_pushable
from registry.content.uploads import Uploads
from registry.errors import BasegateError
from registry.metadata import manifests as rows
from registry.metadata import mirrored
from registry.metadata.mirrored import KnownTag
from registry.metadata.store import MetadataStore
from registry.mirror.blob_fetch import BlobFetch
from registry.mirror.damage import Damage
from registry.mirror.flights import StillFlying
from registry.mirror.manifest_fetch import ManifestFetch
from registry.mirror.upstream import Upstream
from registry.oci.digest import Digest
from registry.oci.errors import (
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    OciError,
    UpstreamUnavailable,
)
from registry.oci.names import Reference, RepositoryName
from registry.registry_client.errors import Absent, RemoteError
from registry.storage.blob_store import BlobStore

_SUBJECTS = 10_000
_FRESH_SECONDS = 1.0


class Mirror:
    """Fills repositories from upstreams.

    Built before the services that ask it; `join` gives it those that it pushes with.

    Args:
        settings: those in force; upstreams change with a restart.
        storage: content that is here.
        metadata: rows that are here.
        parsing: reads manifests.
    """

    def __init__(
        self,
        settings: SettingsInForce[RegistrySettings],
        storage: BlobStore,
        metadata: MetadataStore,
        parsing: Parsing,
    ) -> None:
        """Raises BasegateError when an upstream's address or certificates cannot be used."""
        self._settings = settings.current.upstreams
        self._upstreams = {
            each.prefix: Upstream(each, lambda: settings.current.limits.manifest_bytes) for each in self._settings
        }
        self._storage = storage
        self._metadata = metadata
        self._damage = Damage(storage, metadata)
        self._parsing = parsing
        self._subjects: SizedCache[tuple[RepositoryName, Digest], float] = SizedCache(_SUBJECTS)
        self._fetch: ManifestFetch | None = None
        self._log = structlog.get_logger(__name__)

    def join(self, manifests: Manifests, uploads: Uploads) -> None:
        """Take the services that content comes in through."""
        blobs = BlobFetch(self._storage, self._metadata, uploads)
        self._fetch = ManifestFetch(self._metadata, self._damage, self._parsing, manifests, blobs)

    def covers(self, repository: RepositoryName) -> bool:
        """Whether the repository has an upstream."""
        return upstream_of(self._settings, repository) is not None

    def fresh_seconds(self, repository: RepositoryName) -> float:
        """A hundredth of the time of its tags, a second at most: tags get older without a write."""
        upstream = upstream_of(self._settings, repository)
        return math.inf if upstream is None else min(_FRESH_SECONDS, upstream.ttl_seconds / 100)

    def require_pushable(self, repository: RepositoryName) -> None:
        """Raise Denied where the settings refuse pushes to the repositories of an upstream."""
        require_pushable(self._settings, repository)

    async def bring_manifest(self, repository: RepositoryName, reference: Reference) -> tuple[str, ...]:
        """Have a manifest here that is asked for; see there."""
        upstream = self._of(repository)
        if isinstance(reference, Digest):
            here = await self._metadata.read(rows.find, repository, reference)
            if here is None or await self._damage.spoils(repository, reference):
                await self._arrive(upstream, repository, reference, None)
            return ()
        known = await self._metadata.read(mirrored.find_tag, repository, reference)
        if known is None:
            await self._arrive(upstream, repository, reference, None)
            return ()
        if known.checked is not None and await self._damage.spoils(repository, known.digest):
            await self._arrive(upstream, repository, reference, None)
            return ()
        if known.checked is None or (age := time.time() - known.checked) <= upstream.settings.ttl_seconds:
            return ()
        try:
            await self._arrive(upstream, repository, reference, known)
        except OciError as error:
            if age > upstream.settings.ttl_seconds + upstream.settings.stale_seconds:
                raise
            return (f"{repository}:{reference} is given as it was {_ago(age)} ago: {error.message}",)
        return ()

    async def bring_referrers(self, repository: RepositoryName, subject: Digest) -> None:
        """Have the referrers here, as far as they can be had; they are asked for again after the time of tags."""
        upstream, key = self._of(repository), (repository, subject)
        if not upstream.settings.referrers or time.monotonic() < (self._subjects.get(key) or 0.0):
            return
        rest = max(upstream.settings.ttl_seconds, upstream.settings.retry_seconds)
        try:
            await self._fly(upstream, (repository, f"referrers of {subject}"), self._referrers(upstream, *key))
        except OciError as error:
            self._log.warning("referrers were not brought from an upstream", repository=repository, error=str(error))
            rest = upstream.settings.retry_seconds
        self._subjects.put(key, time.monotonic() + rest)

    async def run(self) -> None:
        """Wait for the end, and let go of upstreams then."""
        try:
            await asyncio.Event().wait()
        finally:
            for upstream in self._upstreams.values():
                await upstream.close()

    def _of(self, repository: RepositoryName) -> Upstream:
        found = upstream_of(self._settings, repository)
        if found is None:
            raise ValueError(f"{repository} has no upstream")
        return self._upstreams[found.prefix]

    @property
    def _fetching(self) -> ManifestFetch:
        if self._fetch is None:
            raise RuntimeError("the mirror was not given the services that it pushes with")
        return self._fetch

    async def _arrive(
        self, upstream: Upstream, repository: RepositoryName, reference: Reference, known: KnownTag | None
    ) -> None:
        """Have it fetched, and wait for it as long as the settings say; raises OciError."""

        async def work() -> None:
            if isinstance(reference, Digest):
                await self._fetching.by_digest(upstream, repository, reference)
            else:
                await self._fetching.by_tag(upstream, repository, reference, known)

        await self._fly(upstream, (repository, reference), work)

    def _referrers(
        self, upstream: Upstream, repository: RepositoryName, subject: Digest
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        async def work() -> None:
            await self._fetching.subject(upstream, repository, subject)
            found = await upstream.client.pull.referrers(upstream.name_of(repository), subject)
            failed: BasegateError | None = None
            for entry in found[: upstream.settings.referrers]:
                try:
                    await self._fetching.by_digest(upstream, repository, entry.digest)
                except BasegateError as error:  # the others may be had all the same
                    failed = failed or error
            if failed is not None:
                raise failed

        return work

    async def _fly(
        self, upstream: Upstream, key: tuple[RepositoryName, str], work: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        settings = upstream.settings
        try:
            await upstream.images.join(
                key, lambda: self._guarded(upstream, key, work), settings.wait_seconds, settings.retry_seconds
            )
        except StillFlying:
            raise UpstreamUnavailable(
                f"{_name(key)} is being fetched from {upstream.endpoint.name}, and is pending: try again in a moment",
                {"state": "pending", "upstream": upstream.endpoint.name},
                {"Retry-After": str(max(1, round(settings.retry_seconds)))},
            ) from None

    async def _guarded(
        self, upstream: Upstream, key: tuple[RepositoryName, str], work: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Do the work, and say what went wrong in the words of a registry."""
        try:
            upstream.require_talking()
            await work()
        except (BasegateError, ExceptionGroup) as raised:
            error = _first_of(raised)
            if isinstance(error, RemoteError):
                upstream.note(error)
                self._log.warning("an upstream did not give what was asked", of=_name(key), error=str(error))
            raise _answer(error, upstream) from None


def _first_of(raised: Exception) -> Exception:
    """The first error of those that were raised at once."""
    while isinstance(raised, ExceptionGroup):
        raised = raised.exceptions[0]
    return raised


def _name(key: tuple[RepositoryName, str]) -> str:
    return f"{key[0]}{'@' if ':' in key[1] else ':'}{key[1]}"


def _answer(error: Exception, upstream: Upstream) -> Exception:
    """What a client is told; what is wrong with content is not the client's fault."""
    if isinstance(error, Absent):
        return ManifestUnknown(str(error), {"upstream": upstream.endpoint.name})
    if not isinstance(error, RemoteError | ManifestInvalid | ManifestBlobUnknown):
        return error
    asked = error.retry_after if isinstance(error, RemoteError) else None
    wait = asked if asked is not None else upstream.settings.retry_seconds
    return UpstreamUnavailable(
        str(error), {"upstream": upstream.endpoint.name}, {"Retry-After": str(max(1, round(wait)))}
    )


def _ago(seconds: float) -> str:
    """`90 s`, `12 min`, `5 h`, `3 d`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
