"""Cleans policy.db: removes results of deleted images, and states of policies that are no longer in force."""

import asyncio

import structlog

from policy.assessment.inspector import CURRENT
from policy.enforcement.gate import PolicyGate
from policy.results import leftovers
from policy.results.leftovers import Leftovers
from registry.metadata import contents
from registry.metadata.store import MetadataStore

_ROUND_SECONDS = 900.0
_PAGE = 1000


class Cleaning:
    """Removes what was unused in two rounds in a row: an image is inspected before it has a row.

    Args:
        gate: its results, and the policies in force.
        metadata: the stored manifests and blobs.
    """

    def __init__(self, gate: PolicyGate, metadata: MetadataStore) -> None:
        self._gate = gate
        self._metadata = metadata
        self._doubtful = Leftovers()

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            await asyncio.sleep(_ROUND_SECONDS)
            try:
                await self.round()
            except Exception as error:  # noqa: BLE001  policy.db works with rows that nobody needs: another round
                structlog.get_logger(__name__).warning(
                    "policy.db could not be cleaned, it will be tried again", reason=str(error)
                )

    async def round(self) -> int:
        """Remove what was unused in this round and the one before; returns how many rows."""
        results = self._gate.results
        stored = await asyncio.to_thread(results.read, leftovers.stored_names)
        manifests, layers = await self._stored()
        policies = {policy.digest for policy in self._gate.bindings.current().policies}
        gone = Leftovers(stored.manifests - manifests, stored.layers - layers, stored.policies - policies)
        removed = await asyncio.to_thread(results.write, leftovers.forget, gone.common(self._doubtful))
        unused = self._doubtful.manifests - manifests  # removed here, or by another node
        if removed or unused:
            self._gate.inspector.let_go(unused)
            self._gate.judge.forget_all()
        removed += await asyncio.to_thread(results.write, leftovers.forget_outdated, CURRENT)
        self._doubtful = gone
        return removed

    async def _stored(self) -> tuple[set[str], set[str]]:
        """Digests of all manifests, and of all blobs that are linked to a repository."""
        manifests: set[str] = set()
        layers: set[str] = set()
        after, behind = 0, ""
        while rows := await self._metadata.read(contents.manifest_digests, after, _PAGE):
            after = rows[-1][0]
            manifests.update(digest for _, digest in rows)
        while page := await self._metadata.read(contents.shown_blobs, behind, _PAGE):
            behind = page[-1]
            layers.update(page)
        return manifests, layers
