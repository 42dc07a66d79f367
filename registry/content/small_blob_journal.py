"""The journal of small blobs: one sync, that of the database, makes a blob and its rows durable.

The file of a small blob is written unsynced, and its bytes go into the database with the rows that show it, as one
transaction. Later one sync makes all such files durable, and their bytes leave the database. Why nothing is lost:

1. A file is written inside the transaction that adds its entry. Whoever sees an entry sees its file, and a sync that
   begins then covers it; the entries seen before a sync, and only these, are forgotten after it.
2. What is not synced never replaces a file (`registry.storage.disk.small_files`). Whoever relies on a file that was
   synced, as a large upload of the same bytes does, keeps it, whatever becomes of this transaction.
3. A sync that fails may have lost bytes that the page cache still shows. Then every file is written anew from its
   entry, each synced by itself, and the entries stay until that has succeeded.
4. After a power failure a file may be missing, or not have its bytes, only if it has an entry. Before anything is
   served, such files are written again, each with a new entry: a sync that another process began before does not
   cover them.
5. Garbage collection removes a file together with its entries, so that none brings it back. A power failure may undo
   both, as it may for any blob; nothing refers to it then, and the next collection removes it again.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.database.errors import is_full
from registry.database.sqlite import BUSY_SECONDS
from registry.metadata import small_blobs, transactions
from registry.metadata.open_store import open_metadata
from registry.metadata.small_blobs import JournalEntry
from registry.metadata.sqlite_store import SqliteStore
from registry.metadata.store import MetadataStore
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import OciError
from registry.storage.blob_store import StoredBlob
from registry.storage.disk.reserve import DiskReserve
from registry.storage.disk.small_files import SmallFiles
from registry.storage.disk.store import DiskStore

LEAST = 4096
"""Bytes that the smallest blob counts for: what its file takes on the disk, and more than its entry needs."""
_BATCH = 256
_PAUSE_SECONDS = 5.0


def open_stores(
    data: Path,
    pool: Executor,
    sync_bytes: int = 0,
    busy_seconds: float = BUSY_SECONDS,
    *,
    new_database: bool = False,
) -> tuple[DiskStore, SqliteStore]:
    """Open the blobs and rows of a data folder; restores small blobs that a power failure took from the disk.

    With `new_database`, an empty database is made although there is content.

    Raises:
        OSError: the folder cannot be made or written.
        LayoutUnknown, DatabaseNewer: it was written by a newer basegate.
        DatabaseMissing, DatabaseDamaged: there is content whose rows are lost.
    """

    def opened() -> tuple[DiskStore, SqliteStore]:
        storage = DiskStore(data, pool, sync_bytes=sync_bytes)
        first = partial(restore, files=storage.small)
        return storage, open_metadata(data, first, busy_seconds, new=new_database)

    try:
        storage, metadata = opened()
    except (OSError, SQLAlchemyError, sqlite3.Error, OciError) as error:
        # A database cannot even be read without room for its side files.
        if not (is_full(error) and DiskReserve(data).give_up(start=True)):
            raise
        storage, metadata = opened()
        storage.reserve.give_up(start=True)
    metadata.make_room = storage.reserve.give_up
    return storage, metadata


def restore(connection: Connection, files: SmallFiles) -> int:
    """Write again the files whose bytes are not those of their entries, each with a new entry; returns how many."""
    restored, after, upto = 0, 0, small_blobs.newest(connection)
    while entries := small_blobs.behind(connection, after, upto, _BATCH):
        for entry in entries:
            if files.restore(entry.digest, entry.content):
                small_blobs.add(connection, entry.digest, entry.content)
                restored += 1
        after = entries[-1].id
    return restored


class Journal:
    """Takes small blobs; empties itself by making their files durable.

    Args:
        storage: where the files are.
        metadata: where the entries are.
        pool: where syncing runs.
        settings: its largest size, and the time between syncs.
    """

    def __init__(
        self, storage: DiskStore, metadata: MetadataStore, pool: Executor, settings: SettingsInForce[RegistrySettings]
    ) -> None:
        self._storage = storage
        self._metadata = metadata
        self._pool = pool
        self._settings = settings
        self._bytes = 0
        self._enough = asyncio.Event()
        self._log = structlog.get_logger(__name__)

    @property
    def has_room(self) -> bool:
        """Whether it takes another blob; if not, the blob has to be synced by itself."""
        return self._bytes < self._settings.current.storage.journal_bytes

    async def take(self, at: ChangeContext, digest: Digest, content: bytes) -> StoredBlob:
        """Record a small blob in its repository, durably. Its digest has been checked.

        Raises:
            QuotaExceeded: the repository would hold more than its quota.
            Unavailable: the disk or the database refuses.
        """
        self._storage.reserve.require()
        files = self._storage.small
        blob = await self._metadata.write(
            transactions.take_small_blob, at, digest, content, lambda: files.write(digest, content)
        )
        self._storage.remember(digest, content)
        self._bytes += max(len(content), LEAST)
        if self._bytes * 2 >= self._settings.current.storage.journal_bytes:
            self._enough.set()
        return blob

    async def run(self) -> None:
        """Settle when it is half full, at each interval, and at the end."""
        try:
            while True:
                if not await self._settled():
                    await asyncio.sleep(_PAUSE_SECONDS)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._enough.wait(), self._settings.current.storage.journal_seconds)
                self._enough.clear()
        finally:
            await self._settled()

    async def _settled(self) -> bool:
        try:
            await self.settle()
        except Exception:  # noqa: BLE001  the entries are still there: another round, or the next start, tries again
            self._log.exception("small blobs could not be made durable in their files yet: they stay in the journal")
            return False
        return True

    async def settle(self) -> None:
        """Sync all files that have entries now, and remove the entries.

        Raises:
            Unavailable, OSError: the disk or the database refuses; the entries are kept.
        """
        settled = self._bytes
        upto = await self._metadata.read(small_blobs.newest)
        if upto:
            await self._make_durable(upto)
            while await self._metadata.write(small_blobs.forget, upto, _BATCH):
                pass
        self._bytes -= settled

    async def _make_durable(self, upto: int) -> None:
        sync_all = self._storage.small.sync_all
        if sync_all is not None:
            try:
                return await self._run(sync_all)
            except OSError as error:
                self._log.warning("syncing the file system failed, small blobs are written again", reason=str(error))
        after = 0
        while entries := await self._metadata.read(small_blobs.behind, after, upto, _BATCH):
            await self._run(partial(self._store, entries))
            after = entries[-1].id
        return None

    def _store(self, entries: list[JournalEntry]) -> None:
        for entry in entries:
            self._storage.small.store(entry.digest, entry.content)

    async def _run(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pool, work)
