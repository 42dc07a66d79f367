"""Garbage: what the next collection would remove, and why some content is kept. For owners; nothing is changed."""

import asyncio
from dataclasses import asdict
from typing import Any

from policy.web.owners import require_owner
from policy.web.visit import View, Visit
from registry.content.gc import GarbageCollector, GcPlan
from registry.content.undo import undo_of
from registry.oci.digest import Digest

_SHOWN = 50


class GarbagePage:
    """Builds `/gc`; with `?plan=yes` the dry run, with `?explain=DIGEST` the reasons, those of retention too."""

    def __init__(self) -> None:
        self._planning = asyncio.Lock()

    async def __call__(self, visit: Visit) -> View:
        """A dry run reads the names of all files, so it is made when it is asked for, one at a time."""
        require_owner(visit, "see what would be collected")
        stores, collector = visit.services.stores, visit.services.collector
        wanted, digest = visit.asked("plan", 8), visit.asked("explain", 200).strip()
        explained = await collector.explain(Digest.parse(digest)) if digest else None
        retention, settings = visit.services.retention.retention, stores.settings.current
        undo = await asyncio.to_thread(undo_of, settings)
        document: dict[str, Any] = {
            "settings": {
                "grace_seconds": settings.gc.grace_seconds,
                "undo_seconds": undo.seconds if undo.kept else 0,
            },
            "explanation": None if explained is None else asdict(explained),
            "retention": await retention.reasons(explained.digest) if explained else [],
            "plan": _document(await self._plan(collector)) if wanted else None,
        }
        return View("garbage.html", document, {"explain": digest})

    async def _plan(self, collector: GarbageCollector) -> GcPlan:
        async with self._planning:
            return await collector.plan()


def _document(plan: GcPlan) -> dict[str, Any]:
    return {
        "manifests": list(plan.manifests[:_SHOWN]),
        "manifest_count": len(plan.manifests),
        "blobs": list(plan.blobs[:_SHOWN]),
        "blob_count": len(plan.blobs),
        "bytes": plan.bytes,
        "links": plan.links,
        "uploads": len(plan.uploads),
    }
