"""Renewal: in the background, what is attested follows what holds, and what was recorded is signed.

Nobody waits for it: whoever asks for a verdict gets what holds now. It completes the history, and spares the first who
asks a write. What is unfinished is found again by its rows after a crash.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from policy.attestation.attestations import Attestations, Behind
from policy.attestation.stored_verdicts import StoredVerdicts
from registry.metadata.reachability import manifest_page
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import Unavailable
from registry.oci.names import RepositoryName

_LOOK_SECONDS = 1.0
_PAGE = 25
"""What is looked at together, for which requests wait."""
_SIGNED = 100
_TIDY_SECONDS = 60.0
_REST_SECONDS = 0.0125
"""Between two pages: requests come first."""


class Renewal:
    """Follows a number that changes whenever what holds of many manifests may have changed.

    Args:
        attestations: what is attested.
        stored: what is stored of it.
        metadata: where the manifests are.
        turns: returns the number.
    """

    def __init__(
        self,
        attestations: Attestations,
        stored: StoredVerdicts,
        metadata: MetadataStore,
        turns: Callable[[], object],
    ) -> None:
        self._attestations = attestations
        self._stored = stored
        self._metadata = metadata
        self._turns = turns
        self._seen: object = None
        self._next_tidy = 0.0

    async def run(self) -> None:
        """Until it is cancelled: at the start, after every turn, and for what was pushed."""
        while True:
            try:
                await self._round()
            except Unavailable as error:
                structlog.get_logger(__name__).warning(
                    "verdicts could not be renewed, it will be tried again", reason=error.message
                )
            except Exception:  # noqa: BLE001  one failed round must not end the rounds
                structlog.get_logger(__name__).exception("verdicts could not be renewed, it will be tried again")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _round(self) -> None:
        turns = self._turns()
        await self._renew(list(self._attestations.waiting))
        await self._sign_all()
        await self._tidy()
        if turns != self._seen:  # last: whatever stops the walk stops nothing else
            await self.renew_all()
            await self._sign_all()
            await self._store_all()
            self._seen = turns

    async def _sign_all(self) -> None:
        while signed := await self._attestations.sign_some(_SIGNED):
            if self._stored.is_on:
                await self._stored.keep_all(signed)
            await asyncio.sleep(_REST_SECONDS)

    async def _tidy(self) -> None:
        """Now and then, remove what is stored about images that have gone: reading that takes a walk."""
        if self._stored.is_on and time.monotonic() >= self._next_tidy:
            self._next_tidy = time.monotonic() + _TIDY_SECONDS
            await self._stored.remove_orphans()

    async def _store_all(self) -> None:
        """After a turn have the newest verdicts stored, or those of before removed when nothing is stored any more."""
        if not self._stored.is_on and not await self._stored.has_any():
            return
        after = 0
        while page := await self._metadata.read(manifest_page, after, _PAGE):
            after = page[-1][0]
            await self._stored.keep_all([(repository, digest) for _, repository, digest in page])
            await asyncio.sleep(_REST_SECONDS)

    async def renew_all(self) -> None:
        """Record what holds now of every manifest whose newest statement says something else."""
        after = 0
        while page := await self._metadata.read(manifest_page, after, _PAGE):
            after = page[-1][0]
            await self._record(await self._attestations.behind_among(page))
            await asyncio.sleep(_REST_SECONDS)

    async def _renew(self, asked: Sequence[tuple[RepositoryName, Digest]]) -> None:
        await self._record(await self._attestations.behind(asked))

    async def _record(self, behind: Sequence[Behind]) -> None:
        if behind:
            await self._metadata.write(self._attestations.record_all, behind)
        for repository, digest, _ in behind:
            self._attestations.waiting.pop((repository, digest))
