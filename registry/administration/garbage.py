"""Garbage and the trash: what a collection would remove, collecting, why content is kept, and bringing back."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from registry.administration.act import BASE, Act, Holdings
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.gc import GarbageCollector
from registry.content.progress import Tell
from registry.maintenance.undo import undo
from registry.metadata import trash
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest, Unsupported
from registry.oci.timestamp import exact_timestamp
from registry.storage.blob_store import BlobStore, MaintainedStore

GARBAGE, TRASH = f"{BASE}/gc", f"{BASE}/trash"
PAGE = 1000
"""Runs on one page of the trash, at most."""
_CURSOR = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)/([a-zA-Z0-9-]{1,64})")


@dataclass(frozen=True, slots=True)
class Garbage:
    """What acts on garbage do, in a server and in a data folder.

    Attributes:
        collector: collects.
        storage: the blobs.
        metadata: the rows.
        settings: those in force.
    """

    collector: GarbageCollector
    storage: BlobStore
    metadata: MetadataStore
    settings: SettingsInForce[RegistrySettings]

    async def planned(self, tell: Tell) -> dict[str, Any]:
        """What the next collection would remove: `registry.content.gc.GcPlan`."""
        return asdict(await self.collector.plan(tell))

    async def collected(self, tell: Tell, *, unknown_too: bool) -> dict[str, Any]:
        """Collect: `registry.content.gc.GcReport`."""
        return asdict(await self.collector.run(unknown_too=unknown_too, tell=tell))

    async def explained(self, digest: Digest) -> dict[str, Any]:
        """Why content is kept, or that it goes: `registry.metadata.retention.Explanation`."""
        return asdict(await self.collector.explain(digest))

    async def listed(self, last: str) -> dict[str, Any]:
        """`{"runs": [{"name", "time", "counts"}], "next"}`, the latest first: what was removed and can be brought back.

        Raises:
            BadRequest: `last` is no `next` of a page.
        """
        found = await self.metadata.read_apart(trash.runs, PAGE + 1, _before(last))
        shown = [{"name": run.name, "time": exact_timestamp(run.time), "counts": run.counts} for run in found[:PAGE]]
        behind = found[PAGE - 1] if len(found) > PAGE else None
        return {"runs": shown, "next": "" if behind is None else f"{behind.time!r}/{behind.name}"}

    async def restored(self, run: str = "") -> dict[str, Any]:
        """Bring back what a run, or the last collection, has removed: `registry.maintenance.undo.Undone`.

        Raises:
            NothingToUndo: the trash has nothing of it.
            Unsupported: the blobs are in no folder.
        """
        storage, metadata = self.storage, self.metadata
        if not isinstance(storage, MaintainedStore):
            raise Unsupported("this registry keeps its blobs in memory: nothing can be brought back")
        sparse = self.settings.current.manifests.sparse_indexes
        return asdict(await undo(storage, metadata, run, sparse=sparse))

    async def emptied(self) -> dict[str, Any]:
        """Remove everything in the trash for good: `{"files"}`, how many are gone."""
        return {"files": await self.collector.empty_trash()}


def plan_collection() -> Act:
    """`Garbage.planned`."""
    return _run("plan", lambda garbage, tell: garbage.planned(tell))


def run_collection(*, unknown_too: bool) -> Act:
    """`Garbage.collected`."""
    body = {"unknown_too": True} if unknown_too else {}
    return _run("run", lambda garbage, tell: garbage.collected(tell, unknown_too=unknown_too), body)


def undo_collection() -> Act:
    """`Garbage.restored` of the last collection."""
    return _run("undo", lambda garbage, _tell: garbage.restored())


def explain_content(digest: Digest) -> Act:
    """`Garbage.explained`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return await _garbage(holdings).explained(digest)

    return Act("GET", f"{GARBAGE}/explanations/{digest}", here)


def list_trash(after: str = "") -> Act:
    """`Garbage.listed`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return await _garbage(holdings).listed(after)

    return Act("GET", TRASH, here, {"last": after} if after else {})


def restore_run(run: str) -> Act:
    """`Garbage.restored` of one run."""
    return _run("restore", lambda garbage, _tell: garbage.restored(run), {"run": run}, TRASH)


def empty_trash() -> Act:
    """`Garbage.emptied`."""
    return _run("empty", lambda garbage, _tell: garbage.emptied(), place=TRASH)


def _run(
    verb: str,
    work: Callable[[Garbage, Tell], Awaitable[dict[str, Any]]],
    body: dict[str, Any] | None = None,
    place: str = GARBAGE,
) -> Act:
    async def here(holdings: Holdings) -> dict[str, Any]:
        return await work(_garbage(holdings), holdings.tell)

    return Act("POST", f"{place}/{verb}", here, body=body or {}, is_run=True)


def _garbage(holdings: Holdings) -> Garbage:
    storage, metadata, settings = holdings.storage, holdings.metadata, holdings.settings
    return Garbage(GarbageCollector(storage, metadata, settings), storage, metadata, settings)


def _before(last: str) -> tuple[float, str] | None:
    """The time and the name of the run that a page begins behind."""
    if not last:
        return None
    found = _CURSOR.fullmatch(last)
    if found is None:
        raise BadRequest(f"last is {last[:64]!r}: give it as the page before tells it")
    return float(found[1]), found[2]
