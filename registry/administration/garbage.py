"""Acts on garbage: what a collection would remove, collecting, undoing it, and why content is kept."""

from dataclasses import asdict
from typing import Any

from registry.administration.act import BASE, Act, Holdings
from registry.content.gc import GarbageCollector
from registry.maintenance.undo import undo
from registry.oci.digest import Digest

GARBAGE = f"{BASE}/gc"


def plan_collection() -> Act:
    """What the next collection would remove: `registry.content.gc.GcPlan`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return asdict(await _collector(holdings).plan(holdings.tell))

    return Act("POST", f"{GARBAGE}/plan", here, body={}, is_run=True)


def run_collection(*, unknown_too: bool) -> Act:
    """Collect now: `registry.content.gc.GcReport`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return asdict(await _collector(holdings).run(unknown_too=unknown_too, tell=holdings.tell))

    return Act("POST", f"{GARBAGE}/run", here, body={"unknown_too": True} if unknown_too else {}, is_run=True)


def undo_collection() -> Act:
    """Bring back what the last collection has removed: `registry.maintenance.undo.Undone`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        sparse = holdings.settings.current.manifests.sparse_indexes
        return asdict(await undo(holdings.storage, holdings.metadata, sparse=sparse))

    return Act("POST", f"{GARBAGE}/undo", here, body={}, is_run=True)


def explain_content(digest: Digest) -> Act:
    """Why content is kept, or that the next collection removes it: `registry.metadata.retention.Explanation`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return asdict(await _collector(holdings).explain(digest))

    return Act("GET", f"{GARBAGE}/explanations/{digest}", here)


def _collector(holdings: Holdings) -> GarbageCollector:
    return GarbageCollector(holdings.storage, holdings.metadata, holdings.settings)
