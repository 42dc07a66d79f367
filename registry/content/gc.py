"""Garbage collection: removing what nothing refers to, while the registry goes on serving.

Why a blob that is pushed or mounted meanwhile is never lost:

1. Rows decide. A blob's file goes only when no repository has a row for it, as blob or as manifest. Rows change in
   write transactions, which happen one after the other, those of other processes included; the check and the removal
   of the file happen inside one.
2. Whoever adds a row has put a fresh file in place before, and asks inside its own transaction whether the file is
   still there. If it comes before the removal, the removal sees the row. If it comes after, it sees the file: either
   its own fresh one, because a removal spares files younger than the grace period and cannot hit a file that
   is renamed into place meanwhile (see `DiskStore.delete`), or none, and then the push fails and nothing is promised.
3. A mount adds a row only while the source has one, in the same transaction: there is no moment without a row.
4. A removal must not run ahead of a deletion that could still be undone: the group in which both are written might
   fail. So a blob is a candidate only if it had no row in an earlier, committed snapshot. A row that was added since
   came with a fresh file.
5. The file of a small blob is written inside the transaction that adds its row and its journal entry: a removal comes
   before all three or after. A removal takes the entry along, so that no later start brings the file back; when the
   group that does so fails, the file may come back, without a row, and the next collection removes it.
6. Links and manifests are removed in transactions that ask again whether they are still unreferenced and old; a push
   refreshes the age of what it names or pushes again.
7. Rows that were lost are no proof that nobody needs a file. Where a database was begun anew or rebuilt, files from
   before that time stay until somebody says that they may go (`registry.metadata.identity`).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog

from registry.config.group import DAY
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.progress import Tell, silence
from registry.content.session_records import discard_upload
from registry.content.undo import undo_of
from registry.metadata import events, garbage, retention, tag_history, trash
from registry.metadata.garbage import LooseManifest, StaleLink, Untagged
from registry.metadata.identity import identity, know_everything
from registry.metadata.retention import Explanation
from registry.metadata.store import MetadataStore
from registry.metadata.trash import Removal
from registry.oci.digest import Digest
from registry.storage.blob_store import BlobStore, StoredBlob
from registry.storage.disk.collection_lock import removing

# Rows or files handled in one transaction: a push may have to wait that long.
_BATCH = 64


@dataclass(frozen=True, slots=True)
class GcPlan:
    """What the first pass would remove now.

    Attributes:
        manifests: expired untagged manifests, as `repository@digest`.
        links: links from a repository to a blob.
        blobs: blobs whose files would be removed.
        bytes: the sum of their sizes.
        uploads: abandoned upload sessions.
        waiting_blobs: blobs that nothing refers to any more, but that are not old enough yet: a later run removes them.
        waiting_bytes: the sum of their sizes.
        waiting_seconds: how old they have to be (`gc.grace_seconds`).
    """

    manifests: tuple[str, ...]
    links: int
    blobs: tuple[Digest, ...]
    bytes: int
    uploads: tuple[str, ...]
    waiting_blobs: int = 0
    waiting_bytes: int = 0
    waiting_seconds: float = 0.0


@dataclass(slots=True)
class GcReport:
    """What a run removed, the name to restore it by, and its duration in seconds."""

    manifests: int = 0
    links: int = 0
    blobs: int = 0
    bytes: int = 0
    uploads: int = 0
    events: int = 0
    run: str = ""
    seconds: float = field(default=0.0)


@dataclass(frozen=True, slots=True)
class _Cutoffs:
    """Content older than these times (seconds since the epoch) is collected; None: all of it is kept.

    Files from before `known_since` may have lost their rows: they are kept.
    """

    removal: Removal
    blobs: float
    manifests: Untagged | None
    uploads: float
    events: float
    history: float | None
    known_since: float


class GarbageCollector:
    """Removes unreferenced blobs, untagged manifests (if asked), abandoned uploads and old events, beside pushes.

    Attributes:
        freed: bytes that its runs have removed.
        runs: how many they were.
    """

    def __init__(
        self, storage: BlobStore, metadata: MetadataStore, settings: SettingsInForce[RegistrySettings]
    ) -> None:
        self._storage = storage
        self._metadata = metadata
        self._settings = settings
        self._log = structlog.get_logger(__name__)
        self.freed = self.runs = 0

    async def plan(self, tell: Tell = silence) -> GcPlan:
        """What `run` would remove in its first pass; nothing is changed."""
        old, now = await self._cutoffs(), time.time()
        unreferenced: list[StoredBlob] = []
        waiting: list[StoredBlob] = []
        looked = 0
        async for batch in self._files(old.known_since, now):
            gone = {blob.digest for blob in await self._without_rows(batch, stale_before=old.blobs)}
            for blob in await self._without_rows(batch, stale_before=now):
                is_due = blob.digest in gone and blob.modified < old.blobs
                (unreferenced if is_due else waiting).append(blob)
            looked += len(batch)
            tell("files", looked, 0)
        return GcPlan(
            manifests=tuple([f"{item.repository}@{item.digest}" async for batch in self._loose(old) for item in batch]),
            links=sum([len(batch) async for batch in self._stale(old)]),
            blobs=tuple(blob.digest for blob in unreferenced),
            bytes=sum(blob.size for blob in unreferenced),
            uploads=tuple([upload async for upload in self._abandoned(old)]),
            waiting_blobs=len(waiting),
            waiting_bytes=sum(blob.size for blob in waiting),
            waiting_seconds=self._settings.current.gc.grace_seconds,
        )

    async def run(self, *, unknown_too: bool = False, tell: Tell = silence) -> GcReport:
        """Pass after pass until one removes nothing: a removed index frees its manifests, and these their blobs.

        With `unknown_too`, files from before the rows began are collected like any other from now on.
        """
        if unknown_too:
            await self._metadata.write(know_everything)
        started, old, report = time.monotonic(), await self._cutoffs(), GcReport()
        if self._storage.reserve.is_short():
            await self.empty_trash()  # the caller needs the space now
        while await self._remove_rows(old, report):
            tell("rows", report.manifests + report.links, 0)
        with removing(self._settings.current.data) as alone:
            if alone:
                await self._remove_files(old, report, tell)
            else:
                self._log.warning("no file is removed while a backup is made: the next collection does")
        await self._forget_damage()
        async for upload in self._abandoned(old):
            await discard_upload(self._storage, upload)
            report.uploads += 1
        undo = await asyncio.to_thread(undo_of, self._settings.current)
        await self._empty_trash(time.time() - undo.seconds)
        report.run = old.removal.run
        report.events = await self._metadata.write(events.forget_before, old.events)
        if old.history is not None:
            await self._metadata.write(tag_history.forget_before, old.history)
        report.seconds = time.monotonic() - started
        self.freed, self.runs = self.freed + report.bytes, self.runs + 1
        return report

    async def explain(self, digest: Digest) -> Explanation:
        """Why the blob or manifest is kept, or that it will be removed."""
        blob = await self._storage.stat(digest)
        modified = None if blob is None else blob.modified
        settings = self._settings.current
        kept = retention.Kept(settings.gc.grace_seconds, settings.history.keep_days * DAY)
        return await self._metadata.read_apart(retention.explain, digest, modified, kept)

    async def _remove_rows(self, old: _Cutoffs, report: GcReport) -> bool:
        manifests = links = 0
        async for loose in self._loose(old):
            assert old.manifests is not None  # noqa: S101  there is nothing loose otherwise
            manifests += await self._metadata.write(garbage.drop_loose, loose, old.manifests, old.removal)
        async for stale in self._stale(old):
            links += await self._metadata.write(garbage.drop_links, stale, old.blobs, old.removal)
        report.manifests += manifests
        report.links += links
        return manifests > 0

    async def _remove_files(self, old: _Cutoffs, report: GcReport, tell: Tell) -> None:
        undo = await asyncio.to_thread(undo_of, self._settings.current)
        keep = undo.kept and not self._storage.reserve.is_short()
        looked = 0
        async for batch in self._files(old.known_since, old.blobs):
            looked += len(batch)
            tell("files", looked, 0)
            candidates = {blob.digest: blob.size for blob in await self._without_rows(batch)}
            if candidates:
                removed = await self._metadata.write(
                    garbage.remove_unreferenced,
                    candidates,
                    lambda digest: self._storage.delete(digest, old.blobs, keep=keep),
                    old.removal,
                )
                report.blobs += len(removed)
                report.bytes += sum(candidates[digest] for digest in removed)

    async def empty_trash(self) -> int:
        """Empty the trash; returns how many files were removed."""
        return await self._empty_trash(time.time())

    async def _empty_trash(self, before: float) -> int:
        while await self._metadata.write(trash.forget_before, before, _BATCH):
            pass
        return await asyncio.to_thread(self._storage.trash.empty, before)

    async def _forget_damage(self) -> None:
        """Remove damaged content from quarantine when nothing refers to it any more."""
        quarantined = self._storage.quarantine.held()
        named = await self._metadata.read(garbage.referenced, [item.digest for item in quarantined])
        for item in quarantined:
            if item.digest not in named:
                self._storage.quarantine.forget(item)

    async def _without_rows(self, batch: list[StoredBlob], stale_before: float | None = None) -> list[StoredBlob]:
        referenced = await self._metadata.read(garbage.referenced, [blob.digest for blob in batch], stale_before)
        return [blob for blob in batch if blob.digest not in referenced]

    async def _files(self, since: float, before: float) -> AsyncIterator[list[StoredBlob]]:
        """Those that were committed between two times."""
        batch: list[StoredBlob] = []
        async for blob in self._storage.blobs():
            if since <= blob.modified < before:
                batch.append(blob)
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _stale(self, old: _Cutoffs) -> AsyncIterator[list[StaleLink]]:
        after: StaleLink | None = None
        while batch := await self._metadata.read_apart(garbage.stale_links, after, old.blobs, _BATCH):
            yield batch
            after = batch[-1]

    async def _loose(self, old: _Cutoffs) -> AsyncIterator[list[LooseManifest]]:
        after = 0
        while old.manifests is not None and (
            batch := await self._metadata.read_apart(garbage.loose_manifests, after, old.manifests, _BATCH)
        ):
            yield batch
            after = batch[-1].id

    async def _abandoned(self, old: _Cutoffs) -> AsyncIterator[str]:
        async for upload, last_byte in self._storage.uploads():
            if last_byte < old.uploads:
                yield upload

    async def _cutoffs(self) -> _Cutoffs:
        now, settings = time.time(), self._settings.current
        store = await self._metadata.read(identity)
        untagged = settings.gc.untagged_after_seconds
        return _Cutoffs(
            removal=trash.collection(now),
            blobs=now - settings.gc.grace_seconds,
            manifests=Untagged(now - untagged, now - settings.history.keep_days * DAY) if untagged else None,
            uploads=now - settings.uploads.expire_seconds,
            events=now - settings.gc.events_after_seconds,
            history=now - settings.history.entries_days * DAY if settings.history.entries_days else None,
            known_since=store.knows_since,
        )
