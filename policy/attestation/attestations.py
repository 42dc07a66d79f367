"""Attestations of verdicts: recorded with the push, renewed when the verdict turns, signed when somebody asks.

What is said of a manifest is recorded in the transaction that records the manifest, which costs a row. The signature is
made by whoever asks first, or in the background. Whoever asks gets what holds now: the recorded statement is compared
with the verdict every time, so that a turn of the policy needs no walk through the store to be seen.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy import Connection

from policy.attestation.forms import Forms
from policy.attestation.settings import AttestSettings
from policy.attestation.summary import predicate_of, says, statement_of
from policy.attestation.types import PAYLOAD_TYPE
from policy.enforcement.conclusion import Conclusion, Named
from policy.signing.dsse import sign
from policy.signing.key_ring import KeyRing
from registry.caches import SizedCache
from registry.gate import Alongside
from registry.metadata import attestations as rows
from registry.metadata import manifests
from registry.metadata.attestations import AttestationRow
from registry.metadata.identity import identity
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

_WAITING = 10_000
_AT_ONCE = 20
"""Manifests that are looked at before others have their turn."""
Predicate = dict[str, Any]
"""What `policy.attestation.summary.predicate_of` gives."""


Behind = tuple[RepositoryName, Digest, Predicate]
"""A manifest whose newest statement says something else than what holds now, and what that is."""


class Conclusions(Protocol):
    """Says what holds of a manifest now."""

    async def conclusion(self, repository: RepositoryName, digest: Digest, *, known: bool = False) -> Conclusion | None:
        """The conclusion; `None` when inspection takes too long. `known`: only if it was inspected, without waiting."""
        ...

    def conclusions(self, named: Iterable[Named]) -> Mapping[Named, Conclusion]:
        """The conclusions that stand on record as they are; those left out are to be asked for one by one."""
        ...


class Attestations:
    """What is attested of the manifests of a store.

    Attributes:
        waiting: what was pushed while its verdict was pending; the next start finds what has no room here.
    """

    def __init__(
        self,
        metadata: MetadataStore,
        conclusions: Conclusions,
        ring: KeyRing,
        settings: Callable[[], AttestSettings],
        clock: Callable[[], float],
    ) -> None:
        """`settings`: those in force; `clock`: seconds since the epoch."""
        self._metadata = metadata
        self._conclusions = conclusions
        self._ring = ring
        self._settings = settings
        self._clock = clock
        self._verifier = ""
        self.waiting: SizedCache[tuple[RepositoryName, Digest], None] = SizedCache(_WAITING)

    def public_keys(self) -> Sequence[EllipticCurvePublicKey]:
        """Of all keys that have signed, the current one first."""
        return self._ring.public()

    def alongside(self, repository: RepositoryName, digest: Digest, conclusion: Conclusion | None) -> Alongside | None:
        """What is to be recorded with a manifest that is pushed; one whose verdict is pending is looked at later."""
        settings = self._settings()
        if not settings.is_on:
            return None
        if conclusion is None:
            self.waiting.put((repository, digest), None)
            return None

        def record(connection: Connection, manifest_id: int) -> None:
            predicate = predicate_of(repository, digest, conclusion, settings, self._verifier_of(connection))
            if predicate is not None:
                self._ensure(connection, manifest_id, digest, predicate)

        return record

    async def current(self, repository: RepositoryName, digest: Digest) -> Forms | None:
        """The signed attestation of what holds of a manifest now; `None` where nothing is attested of it."""
        if await self._metadata.read(manifests.find, repository, digest) is None:
            return None
        predicate = await self._predicate(repository, digest)
        if predicate is None:
            return None
        row = next(iter(await self._metadata.read(rows.newest, repository, digest)), None)
        if row is None or row.key != self._ring.current.kid or not says(row.statement, predicate):
            row = await self._metadata.write(self._renewed, repository, digest, predicate)
        return None if row is None else Forms(row)

    async def published(self, repository: RepositoryName, digest: Digest) -> Forms | None:
        """The attestation that a manifest or blob of this digest publishes or has published."""
        row = await self._metadata.read(rows.published, repository, digest)
        return None if row is None else Forms(row)

    async def history(
        self, repository: RepositoryName, digest: Digest, count: int
    ) -> tuple[Forms | None, Sequence[Forms]]:
        """What holds of a manifest now, and its last `count` attestations, the newest first; all are signed then."""
        current = await self.current(repository, digest)
        found = await self._metadata.read(rows.newest, repository, digest, count)
        if not all(row.signature for row in found):
            await self._metadata.write(rows.sign_all, await asyncio.to_thread(self.signed, found))
            found = await self._metadata.read(rows.newest, repository, digest, count)
        return current, [Forms(row) for row in found if row.signature]

    async def sign_some(self, count: int) -> Sequence[tuple[RepositoryName, Digest]]:
        """Sign at most so many statements that are not signed yet; returns what they are about."""
        found = await self._metadata.read(rows.unsigned, count)
        if found:
            signed = await asyncio.to_thread(self.signed, found)
            await self._metadata.write(rows.sign_all, signed)
        return await self._metadata.read(rows.places_of, [row.id for row in found])

    def signed(self, unsigned: Iterable[AttestationRow]) -> list[rows.Signed]:
        """The signatures of statements that have none, and the digests that publish each."""
        key = self._ring.current
        signed = []
        for row in unsigned:
            if not row.signature:
                signature = sign(key, PAYLOAD_TYPE, row.statement)
                digests = Forms(replace(row, key=key.kid, signature=signature)).digests
                signed.append(rows.Signed(row.id, key.kid, signature, digests))
        return signed

    async def behind(self, asked: Iterable[tuple[RepositoryName, Digest]]) -> list[Behind]:
        """Those of many manifests whose newest statement says something else, as far as they were judged before.

        Of the others, only those whose verdict is pending go on waiting.
        """
        behind = []
        for number, (repository, digest) in enumerate(asked):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            predicate = await self._predicate(repository, digest, known=True)
            if predicate is not None and not await self._is_current(repository, digest, predicate):
                behind.append((repository, digest, predicate))
            elif (repository, digest) in self.waiting and not await self._is_pending(repository, digest):
                self.waiting.pop((repository, digest))
        return behind

    async def behind_among(self, page: Sequence[tuple[int, RepositoryName, Digest]]) -> list[Behind]:
        """`behind` of a page of all manifests, with the ids of their rows: one look at all of them settles most."""
        settled = await self._settled(page) if self._settings().is_on else set()
        return await self.behind([(repository, digest) for row, repository, digest in page if row not in settled])

    async def _settled(self, page: Sequence[tuple[int, RepositoryName, Digest]]) -> set[int]:
        """The rows of those whose newest statement is known to say what holds."""
        concluded = self._conclusions.conclusions((repository, digest) for _, repository, digest in page)
        newest = await self._metadata.read(rows.newest_among, [row for row, _, _ in page])
        settings, verifier = self._settings(), await self._known_verifier()
        settled = set()
        for row, repository, digest in page:
            conclusion, said = concluded.get((repository, digest)), newest.get(row)
            if conclusion is not None:
                predicate = predicate_of(repository, digest, conclusion, settings, verifier)
                if predicate is None or (said is not None and self._counts(said, predicate)):
                    settled.add(row)
        return settled

    async def _is_current(self, repository: RepositoryName, digest: Digest, predicate: Predicate) -> bool:
        newest = next(iter(await self._metadata.read(rows.newest, repository, digest)), None)
        return newest is not None and self._counts(newest, predicate)

    async def _is_pending(self, repository: RepositoryName, digest: Digest) -> bool:
        if await self._metadata.read(manifests.find, repository, digest) is None:
            return False
        return await self._conclusions.conclusion(repository, digest, known=True) is None

    def record_all(self, connection: Connection, behind: Iterable[Behind]) -> None:
        """Record statements about many manifests, to be signed later."""
        for repository, digest, predicate in behind:
            manifest_id = rows.row_of(connection, repository, digest)
            if manifest_id is not None:
                self._ensure(connection, manifest_id, digest, predicate)

    def _renewed(
        self, connection: Connection, repository: RepositoryName, digest: Digest, predicate: Predicate
    ) -> AttestationRow | None:
        manifest_id = rows.row_of(connection, repository, digest)
        if manifest_id is None:
            return None
        self._ensure(connection, manifest_id, digest, predicate)
        row = rows.newest_of(connection, manifest_id)
        if row is not None and not row.signature:
            rows.sign_all(connection, self.signed([row]))
            row = rows.newest_of(connection, manifest_id)
        return row

    def _ensure(self, connection: Connection, manifest_id: int, digest: Digest, predicate: Predicate) -> None:
        """See to it that the newest statement says what is wanted; it may have to be signed yet."""
        newest = rows.newest_of(connection, manifest_id)
        if newest is not None and self._counts(newest, predicate):
            return
        now = self._clock()
        rows.add(connection, manifest_id, statement_of(digest, predicate, now), now)
        if newest is not None:
            rows.trim(connection, manifest_id, self._settings().history)

    def _counts(self, row: AttestationRow, predicate: Predicate) -> bool:
        return row.key in {"", self._ring.current.kid} and says(row.statement, predicate)

    async def _predicate(self, repository: RepositoryName, digest: Digest, *, known: bool = False) -> Predicate | None:
        settings = self._settings()
        if not settings.is_on:
            return None
        conclusion = await self._conclusions.conclusion(repository, digest, known=known)
        if conclusion is None:
            return None
        return predicate_of(repository, digest, conclusion, settings, await self._known_verifier())

    async def _known_verifier(self) -> str:
        return self._verifier or await self._metadata.read(self._verifier_of)

    def _verifier_of(self, connection: Connection) -> str:
        if not self._verifier:
            self._verifier = f"urn:uuid:{identity(connection).id}"
        return self._verifier
