"""Cleans policy.db: removes results of deleted images, and states of policies that are no longer in force."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial

import structlog
from sqlalchemy import Connection

from policy.assessment.inspector import CURRENT
from policy.enforcement.gate import PolicyGate
from policy.results import leftovers
from policy.results.leftovers import Leftovers
from registry.metadata import contents
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest

Names = Callable[[Connection, str, int], Sequence[str]]
"""A page of names with rows in policy.db, behind a name."""
Stored = Callable[[Connection, Collection[Digest]], Collection[Digest]]
"""Those of some digests that the registry has."""

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
        policies = await asyncio.to_thread(results.read, leftovers.policies)
        manifests = await self._gone(leftovers.inspected, contents.stored_manifests)
        for policy in policies:
            manifests |= await self._gone(partial(_judged, policy), contents.stored_manifests)
        layers = await self._gone(leftovers.layers, contents.still_shown)
        in_force = {policy.digest for policy in self._gate.bindings.current().policies}
        gone = Leftovers(manifests, layers, frozenset(policies) - in_force)
        doubtful = [Digest(name) for name in self._doubtful.manifests]
        # Their rows are removed here, or were by another node.
        unused = frozenset(doubtful).difference(await self._metadata.read_apart(contents.stored_manifests, doubtful))
        removed = await asyncio.to_thread(results.write, leftovers.forget, gone.common(self._doubtful))
        if removed or unused:
            self._gate.inspector.let_go(unused)
            self._gate.judge.forget_all()
        removed += await asyncio.to_thread(results.write, leftovers.forget_outdated, CURRENT)
        self._doubtful = gone
        return removed

    async def _gone(self, names: Names, stored: Stored) -> frozenset[str]:
        """Those of all names that the registry does not have; a page at a time, as there are as many as images."""
        after, gone = "", set[str]()
        while page := await asyncio.to_thread(self._gate.results.read, names, after, _PAGE):
            after = page[-1]
            gone.update(set(page).difference(await self._metadata.read_apart(stored, [Digest(name) for name in page])))
        return frozenset(gone)


def _judged(policy: str, connection: Connection, after: str, count: int) -> Sequence[str]:
    return leftovers.judged(connection, policy, after, count)
