"""Catch-up: judges stored manifests without a verdict, or with one from earlier detectors."""

import asyncio
from collections.abc import Sequence

import structlog

from policy.assessment.inspector import CURRENT, Inspector
from policy.assessment.judge import Judge
from policy.enforcement.policies_in_force import PoliciesInForce
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.store import ResultStore
from registry.metadata.reachability import manifest_page
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

_PATIENCE_SECONDS = 3600.0
_PAGE = 500


class CatchUp:
    """Needed after a crash, lost results, a new policy in the settings, or an upgrade of this program."""

    def __init__(
        self,
        metadata: MetadataStore,
        results: ResultStore,
        inspector: Inspector,
        judge: Judge,
        policies: PoliciesInForce,
    ) -> None:
        self._metadata = metadata
        self._results = results
        self._inspector = inspector
        self._judge = judge
        self._policies = policies

    async def run(self) -> int:
        """Judge everything that is stored, once; returns how many had no verdict."""
        after = judged = 0
        while page := await self._metadata.read(manifest_page, after, _PAGE):
            after = page[-1][0]
            for repository, digest in await asyncio.to_thread(self._behind, page):
                await self._judge_one(repository, digest)
                judged += 1
        return judged

    def _behind(self, page: Sequence[tuple[int, RepositoryName, Digest]]) -> list[tuple[RepositoryName, Digest]]:
        self._results.settle()
        digests = [digest for _, _, digest in page]
        seen = self._results.read(inspected_manifests.inspected, digests, CURRENT)
        judged: dict[str, set[str]] = {}
        behind = []
        for _, repository, digest in page:
            policy = self._policies.of(repository).policy.digest
            if policy not in judged:
                judged[policy] = self._results.read(verdicts.judged, policy, digests)
            if digest not in seen or digest not in judged[policy]:
                behind.append((repository, digest))
        return behind

    async def _judge_one(self, repository: RepositoryName, digest: Digest) -> None:
        policy = self._policies.of(repository).policy
        try:
            await self._inspector.renew(repository, digest)
            await self._judge.state(repository, digest, policy, _PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001 - one manifest that cannot be judged must not keep the others back
            structlog.get_logger(__name__).warning(
                "a stored manifest could not be judged", repository=repository, digest=digest, reason=str(error)
            )
