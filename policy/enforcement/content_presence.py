"""Whether all content of a verdict is still in the store: a verdict on missing bytes is not valid."""

import asyncio
from collections import deque

from policy.assessment.inspector import Inspector
from policy.assessment.manifest_verdicts import ChildEntry, children_of
from policy.definition.policy import Policy
from policy.results.manifests import InspectedManifest, Kind
from registry.caches import AnswerCache
from registry.content.presence import missing_among
from registry.metadata import manifests
from registry.metadata.reachability import Part, parts_of
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.media_types import FOREIGN_LAYERS
from registry.oci.names import RepositoryName
from registry.storage.blob_store import BlobStore

_NAMED = 8
"""Missing things that are told of; looking ends there."""
_REMEMBERED = 10_000
_SINGLE = 50_000
_TURN = 100
"""Files that are looked at before others get their turn."""
_GONE = "is not in this registry any more: push it again"
_DELETED = "is not in this repository any more: push it again"


class Presence:
    """Checks the files of a manifest's configuration and layers on each call; for an index, those of all members that
    the policy judges.
    """

    def __init__(self, storage: BlobStore, metadata: MetadataStore, inspector: Inspector) -> None:
        self._storage = storage
        self._metadata = metadata
        self._inspector = inspector
        self._single: set[Digest] = set()
        self._gone: AnswerCache[dict[Digest, str]] = AnswerCache(_REMEMBERED)

    async def gone(
        self, repository: RepositoryName, digest: Digest, policy: Policy, *, remember: bool = True
    ) -> dict[Digest, str]:
        """The judged members of an index that the repository does not hold, with a sentence for each.

        Empty for an image or an artifact, and for a manifest that was not inspected.
        """
        if digest in self._single:
            return {}
        key, generation = (repository, digest, policy.digest), self._metadata.generation()
        gone = self._gone.get(key, generation)
        if gone is None:
            subject = self._inspector.recorded(digest, remember=remember)
            if subject is None:
                return {}
            if subject.kind is not Kind.INDEX:
                if remember:
                    self._remember_single(digest)
                return {}
            gone = await self._gone_below(repository, subject, policy)
            self._gone.put(key, generation, gone)
        return gone

    def _remember_single(self, digest: Digest) -> None:
        if len(self._single) >= _SINGLE:
            self._single.clear()
        self._single.add(digest)

    async def _gone_below(
        self, repository: RepositoryName, index: InspectedManifest, policy: Policy
    ) -> dict[Digest, str]:
        """Level by level."""
        gone: dict[Digest, str] = {}
        below, seen = {Digest(index.manifest): ""}, {index.manifest}
        while below:
            places: dict[Digest, str] = {}
            for digest, place in below.items():
                subject = self._inspector.recorded(digest)
                for entry in children_of(subject) if subject is not None and subject.kind is Kind.INDEX else ():
                    is_manifest = entry.blob_type is None or self._inspector.recorded(entry.digest) is not None
                    if is_manifest and entry.digest not in seen and not entry.why_not(policy):
                        seen.add(entry.digest)
                        places[Digest(entry.digest)] = _place(entry, place)
            absent = await self._metadata.read(manifests.absent, repository, list(places))
            for digest in absent:
                gone[digest] = f"{places.pop(digest)}manifest {digest} {_DELETED}"
            below = places
        return gone

    async def missing(self, repository: RepositoryName, digest: Digest, policy: Policy) -> tuple[str, ...]:
        """A sentence for each blob or manifest that is missing or of another size.

        Args:
            repository: where the manifest is.
            digest: its digest; it has been judged.
            policy: says which members of an index are judged.
        """
        look = _Look(self._storage, self._metadata, repository)
        waiting, seen = deque([(digest, "")]), {digest}
        while waiting and len(look.missing) < _NAMED:
            manifest, place = waiting.popleft()
            subject = self._inspector.recorded(manifest)
            if subject is None or subject.kind is Kind.ARTIFACT:
                continue
            await look.check(manifest, place)
            for entry in children_of(subject) if subject.kind is Kind.INDEX else ():
                child = Digest(entry.digest)
                if child not in seen and not entry.why_not(policy):
                    seen.add(child)
                    waiting.append((child, _place(entry, place)))
        return tuple(look.missing[:_NAMED])


class _Look:
    """One check of many files; content that several images share is checked once."""

    def __init__(self, storage: BlobStore, metadata: MetadataStore, repository: RepositoryName) -> None:
        self._storage = storage
        self._metadata = metadata
        self._repository = repository
        self._seen: set[Digest] = set()
        self.missing: list[str] = []

    async def check(self, manifest: Digest, place: str) -> None:
        """Check one manifest's own content; the sentences begin with `place`."""
        filed = await self._metadata.read(manifests.filed, self._repository, [manifest])
        self.missing += [f"{place}manifest {digest} {_GONE}" for digest in await missing_among(self._storage, filed)]
        for part in await self._metadata.read(parts_of, self._repository, manifest):
            if part.digest in self._seen or part.kind == "blob":  # no verdict depends on an index's blobs
                continue
            self._seen.add(part.digest)
            wrong = await self._wrong(part)
            if wrong:
                self.missing.append(f"{place}{_name(part)} {wrong}")
            if len(self._seen) % _TURN == 0:
                await asyncio.sleep(0)

    async def _wrong(self, part: Part) -> str:
        if part.size is None:
            # A non-distributable layer is fetched from elsewhere, by the digest that was inspected.
            return "" if part.media_type in FOREIGN_LAYERS else _GONE
        blob = await self._storage.stat(part.digest)
        if blob is None:
            return _GONE
        if blob.size == part.size:
            return ""
        return f"has {blob.size} instead of {part.size} bytes in this registry: push it again"


def _place(entry: ChildEntry, above: str) -> str:
    """The beginning of the sentences about a child: its platform, or that of its index."""
    return f"{entry.platform or above.removesuffix(': ') or entry.digest[:19]}: "


def _name(part: Part) -> str:
    return (
        f"the configuration ({part.digest})" if part.kind == "config" else f"layer {part.position - 1} ({part.digest})"
    )
