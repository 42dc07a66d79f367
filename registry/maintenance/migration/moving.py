"""A registry moves: blobs beside a running server, then all that is left while nobody writes, then it is switched over.

Killed anywhere, it goes on when it is run again: a blob that is at the target is not sent twice, rows come in one
transaction, and until the switch everything is where it was.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from registry.config.settings import RegistrySettings
from registry.content.opened_stores import open_stores_of
from registry.maintenance.migration.blobs import BlobCopying, CopiedBlobs, Tell, named_blobs
from registry.maintenance.migration.databases import (
    RowsRefused,
    has_arrived,
    held_rows,
    new_rows,
    served_elsewhere,
    still_served,
)
from registry.maintenance.migration.route import Route
from registry.maintenance.migration.switch import BLOB_FILES, DRAFT, ROW_FILES, Switch, take_back
from registry.maintenance.migration.tables import copy_tables
from registry.metadata import small_blobs
from registry.metadata.elsewhere import MARK, mark_of
from registry.metadata.identity import identity
from registry.metadata.tables import SCHEMA, fresh_blobs, upload_pieces, uploads
from registry.oci.digest import Digest
from registry.storage.blob_store import MaintainedStore
from registry.storage.disk.atomic_file import replace_file
from registry.storage.disk.collection_lock import nothing_removed
from registry.storage.disk.store import DiskStore
from registry.storage.opening import open_object_store

_PLAN = "route.json"
_LOOK_SECONDS = 0.2

_LEFT = frozenset({fresh_blobs.name, uploads.name, upload_pieces.name})
"""Tables that are left empty: the journal was emptied before, and uploads in progress begin anew."""

Away = Callable[[], AbstractContextManager[str]]
"""Within it no server is started on the data folder; "", or why that cannot be had."""


class BesideRows(Protocol):
    """What a package on top keeps beside rows, and moves with them.

    Attributes:
        files: its names in a data folder.
    """

    files: Sequence[str]

    def into_database(self, data: Path, target: Connection) -> Mapping[str, int]:
        """Copy from a data folder, in the target's transaction; the numbers of rows by their tables."""
        ...

    def into_folder(self, source: Connection, folder: Path) -> Mapping[str, int]:
        """Copy into files of a folder, durably; likewise."""
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a move has come.

    Attributes:
        blobs: what became of them; those of both passes.
        rows: the number of rows by their tables; empty when none moved.
        aside: where the data folder keeps what it had; "": nothing was switched over.
        waiting: why nothing was, a sentence; "" when it was.
    """

    blobs: CopiedBlobs = field(default_factory=CopiedBlobs)
    rows: Mapping[str, int] = field(default_factory=dict)
    aside: str = ""
    waiting: str = ""


class Moving:
    """Moves one registry.

    Args:
        route: from where to where.
        source: settings that say where everything is.
        target: settings that say where it will be.
        beside: what moves with rows.
        away: keeps servers away from the data folder.
        tell: told how many bytes are at the target.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        route: Route,
        source: RegistrySettings,
        target: RegistrySettings,
        beside: BesideRows,
        away: Away,
        tell: Tell,
    ) -> None:
        self._route = route
        self._data = route.data
        self._draft = route.data / DRAFT
        self._source = source
        # What the folder is going to have is made in a folder of its own.
        self._target = target.model_copy(update={"data": self._draft})
        self._beside = beside
        self._away = away
        self._tell = tell
        self._names = (BLOB_FILES if route.store else ()) + ((*ROW_FILES, *beside.files) if route.database else ())

    def go_on(self) -> str:
        """Carry out what an earlier run was killed in (blocking); where the folder keeps what it had, or ""."""
        begun = Switch.begun(self._data)
        if begun is None:
            return ""
        with self._away() as reason:
            if reason:
                raise RowsRefused(reason)
            if self._route.database and self._route.is_outward and not has_arrived(self._target, begun.store):
                take_back(self._data)
                return ""
            begun.carry_out(self._data)
        return begun.aside

    def run(self, *, wait: Callable[[], None] | None, leave_lost: bool) -> Moved:
        """Copy, and switch over where nobody writes (blocking).

        Args:
            wait: called when all is copied beside a running server, which is refused its writes then: it is waited for
                until the server has ended. `None`: beside a running server blobs are copied, and nothing else is done.
            leave_lost: switch over although the source has lost blobs that rows name.

        Raises:
            BasegateError: the target cannot be used, or has other content; or a store is away.
        """
        with ThreadPoolExecutor(self._source.storage.threads) as pool, nothing_removed(self._data):
            storage, metadata = open_stores_of(self._source, pool)
            try:
                store, wanted = metadata.read_now(identity).id, metadata.read_now(named_blobs)
            finally:
                metadata.close()
            self._prepare(store)
            copying = self._copying(storage, store, pool)
            first = CopiedBlobs() if copying is None else asyncio.run(_copied(copying, wanted))
            moved = self._finish(store, storage, copying, wait, leave_lost=leave_lost)
        copied, sent = moved.blobs.copied + first.copied, moved.blobs.bytes + first.bytes
        trash = moved.blobs.in_trash + first.in_trash
        seen = first if moved.waiting and not moved.blobs.lost else moved.blobs
        blobs = replace(seen, copied=copied, bytes=sent, there=first.there, in_trash=trash)
        return replace(moved, blobs=blobs)

    def _prepare(self, store: str) -> None:
        """Find out early whether the target can be used, and drop what a run to somewhere else has left."""
        if self._route.database:
            with new_rows(self._target, self._draft):
                pass
        plan = json.dumps([store, self._route.is_outward, self._route.store, self._route.database]).encode()
        place = self._draft / _PLAN
        if not place.is_file() or place.read_bytes() != plan:
            shutil.rmtree(self._draft, ignore_errors=True)
            self._draft.mkdir(mode=0o700)
            replace_file(place, plan)

    def _copying(self, storage: MaintainedStore, store: str, pool: ThreadPoolExecutor) -> BlobCopying | None:
        if not self._route.store:
            return None
        if self._route.is_outward:
            from registry.storage.objects.owner import take_prefix  # noqa: PLC0415 - not in every installation

            target: MaintainedStore = open_object_store(self._target, pool)
            take_prefix(self._target.storage, store)
        else:
            target = DiskStore(self._draft, pool, sync_bytes=self._target.storage.sync_bytes)
        return BlobCopying(storage, target, self._source.storage.threads, self._tell)

    def _finish(
        self,
        store: str,
        storage: MaintainedStore,
        copying: BlobCopying | None,
        wait: Callable[[], None] | None,
        *,
        leave_lost: bool,
    ) -> Moved:
        """The last pass: nobody writes until it ends."""
        with ExitStack() as held:
            reason = "" if wait else held.enter_context(self._away())
            if reason:
                return Moved(waiting=reason)
            rows = held.enter_context(held_rows(self._source))
            if not wait and self._source.metadata.url and still_served(rows):
                return Moved(waiting="other nodes, or commands, are connected to the database")
            blobs = CopiedBlobs() if copying is None else asyncio.run(self._last_blobs(copying, rows))
            if blobs.lost and not leave_lost:
                return Moved(blobs, waiting="the source has lost blobs that images need")
            self._settle(rows, storage)
            return self._switch(store, rows, blobs, wait, held)

    async def _last_blobs(self, copying: BlobCopying, rows: Connection) -> CopiedBlobs:
        wanted = named_blobs(rows)
        blobs = await _copied(copying, wanted)
        absent = await copying.absent(wanted) - blobs.lost
        if absent:
            raise RowsRefused(f"{len(absent)} blobs are not at the target, {min(absent)} for one: run it again")
        copying.note_lost(blobs)
        return blobs

    def _settle(self, rows: Connection, storage: MaintainedStore) -> None:
        """Have no small blob whose bytes only the journal may have: it does not move."""
        if not isinstance(storage, DiskStore) or self._source.metadata.url:
            return
        upto = small_blobs.newest(rows)
        if upto and not _all_synced(storage):
            for entry in small_blobs.behind(rows, 0, upto, upto):
                storage.small.store(entry.digest, entry.content)
        small_blobs.forget(rows, upto, upto)

    def _switch(
        self, store: str, rows: Connection, blobs: CopiedBlobs, wait: Callable[[], None] | None, held: ExitStack
    ) -> Moved:
        if not self._route.database:
            self._wait_until_away(rows, wait, held)
            begun = self._begun(store)
            rows.commit()  # what the journal held has gone: its blobs are at the target
            begun.carry_out(self._data)
            return Moved(blobs, {}, begun.aside)
        switch: Switch | None = None
        with new_rows(self._target, self._draft) as target:
            counts = self._copy_rows(rows, target)
            self._wait_until_away(rows, wait, held)
            if self._route.is_outward:
                replace_file(self._draft / MARK, mark_of(store))
                switch = self._begun(store)
            target.commit()
        switch = switch or self._begun(store)
        switch.carry_out(self._data)
        return Moved(blobs, counts, switch.aside)

    def _begun(self, store: str) -> Switch:
        """From here on the move counts; where rows go to a database, from when it has committed them."""
        switch = Switch.planned(self._data, store, self._names)
        switch.begin(self._data)
        return switch

    def _copy_rows(self, rows: Connection, target: Connection) -> dict[str, int]:
        sums = copy_tables(rows, target, SCHEMA, without=_LEFT)
        counts = {name: each.rows for name, each in sums.items()}
        if self._route.is_outward:
            return counts | dict(self._beside.into_database(self._data, target))
        return counts | dict(self._beside.into_folder(rows, self._draft))

    def _wait_until_away(self, rows: Connection, wait: Callable[[], None] | None, held: ExitStack) -> None:
        """Until no server serves the source; its writes are refused meanwhile."""
        if wait is None:
            return
        told = False
        while True:
            attempt = ExitStack()
            if not attempt.enter_context(self._away()) and not (self._source.metadata.url and served_elsewhere(rows)):
                held.enter_context(attempt)
                return
            attempt.close()
            if not told:
                wait()
            told = True
            time.sleep(_LOOK_SECONDS)


async def _copied(copying: BlobCopying, wanted: Mapping[Digest, int]) -> CopiedBlobs:
    result = await copying.copy(wanted)
    await copying.copy_trash(result)
    return result


def _all_synced(storage: DiskStore) -> bool:
    """Make every file of the store durable at once, where that can be had: one by one takes long."""
    if storage.small.sync_all is None:
        return False
    try:
        storage.small.sync_all()
    except OSError:
        return False
    return True
