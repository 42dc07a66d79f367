"""Background maintenance by a running server."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import structlog

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.maintenance.pace import Pace, Stopped
from registry.maintenance.row_archive import CopiedBeside
from registry.maintenance.row_upkeep import RowUpkeep
from registry.maintenance.scrub import Progress, Scrub, read_progress, save_progress
from registry.maintenance.stored_copies import StoredCopies
from registry.metadata.sqlite_store import SqliteStore
from registry.metadata.store import RowStore
from registry.storage.blob_store import BlobStore, MaintainedStore
from registry.storage.caching import Cache, CachingStore
from registry.storage.copies import CopiesStore

T = TypeVar("T")

_LOOK_SECONDS = 60.0
_ROOM_SECONDS = 2.0


class Upkeep:
    """Background work of a server, in threads of its own.

    Attributes:
        rows: what it does for rows in a file; `None` where a database server looks after itself.

    Args:
        storage: the blobs; they are scrubbed where they are kept anywhere but in memory.
        metadata: the rows.
        settings: read before each round.
        beside: what is copied with rows that are in a database.
    """

    def __init__(
        self,
        storage: BlobStore,
        metadata: RowStore,
        settings: SettingsInForce[RegistrySettings],
        beside: Sequence[CopiedBeside] = (),
    ) -> None:
        self._storage = storage
        self._metadata = metadata
        self._settings = settings
        self._log = structlog.get_logger(__name__)
        self.rows = RowUpkeep(metadata, settings, self._attempt) if isinstance(metadata, SqliteStore) else None
        self._cache: Cache | None = storage.cache if isinstance(storage, CachingStore) else None
        self._cache_refusal: str | None = None
        self._copies: StoredCopies | None = None
        if isinstance(storage, CopiesStore) and self.rows is None:
            self._copies = StoredCopies(storage.copies, metadata, settings, beside, self._attempt)

    @property
    def copy_lag(self) -> Callable[[], float | None]:
        """Seconds that changes of rows have waited for their copy in the object store, where this server makes it."""
        return (lambda: None) if self._copies is None else self._copies.behind

    @property
    def work(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """The tasks; each runs until it is cancelled."""
        scrubs = [partial(self.scrub, self._storage)] if isinstance(self._storage, MaintainedStore) else []
        rows = [] if self.rows is None else self.rows.work
        cache = [] if self._cache is None else [self.watch_cache]
        return [*scrubs, *rows, *([] if self._copies is None else [self._copies.run]), *cache, self.watch_room]

    async def scrub(self, storage: MaintainedStore) -> None:
        """Scrub at the set interval; an unfinished pass continues at once."""
        data = self._settings.current.data
        pace = Pace(lambda: self._settings.current.scrub.bytes_per_second)
        scrub = Scrub(storage, self._metadata, data, pace)
        while True:
            interval, before = self._settings.current.scrub.interval_seconds, read_progress(data)
            if not before.finished:
                save_progress(data, Progress(before.started, finished=time.time()))
            elif interval and (before.is_under_way or time.time() >= before.finished + interval):
                await self._attempt("scrub", scrub.run, pace.stop)
            await asyncio.sleep(min(_LOOK_SECONDS, interval or _LOOK_SECONDS))

    async def watch_room(self) -> None:
        """Keep the reserve, and make it again when the disk has room."""
        while True:
            self.keep_reserve()
            await asyncio.sleep(_ROOM_SECONDS)

    async def watch_cache(self) -> None:
        """Have copies of blobs give way when the disk, or a setting, leaves less room."""
        while True:
            await self._attempt("cache", self.fit_cache, _nothing)
            await asyncio.sleep(_ROOM_SECONDS)

    def fit_cache(self) -> None:
        """Have copies of blobs take as much room as the settings and the disk allow (blocking)."""
        if self._cache is None:
            return
        refusal: str | None = None
        try:
            self._cache.fit(self._settings.current.storage.blob_cache_bytes)
        except OSError as error:
            refusal = error.strerror
        if refusal is not None and refusal != self._cache_refusal:  # once, and not every two seconds
            self._log.warning("blobs cannot be cached", reason=refusal)
        self._cache_refusal = refusal

    def cached_bytes(self) -> int | None:
        """Bytes of blobs that are copied here; `None` where they are kept here anyway."""
        return None if self._cache is None else self._cache.size

    def keep_reserve(self) -> None:
        """Keep the reserve of the settings, if there is room; log changes."""
        reserve, before = self._storage.reserve, self._storage.reserve.given_up
        reserve.want(self._settings.current.storage.reserve_bytes)
        try:
            kept = reserve.keep()
        except OSError as error:
            self._log.warning("the reserve cannot be kept", reason=error.strerror)
            return
        if kept == before:
            self._log.warning("the disk has room again" if kept else "the disk is full: no content is taken")

    def problems(self) -> list[str]:
        """What is wrong with it: one sentence for each problem."""
        return [] if self.rows is None else self.rows.problems()

    async def _attempt(self, name: str, work: Callable[[], object], stop: Callable[[], None]) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix=name) as pool:
            try:
                await asyncio.get_running_loop().run_in_executor(pool, work)
            except asyncio.CancelledError:
                stop()
                raise
            except Stopped:
                return
            except Exception:  # noqa: BLE001  a failed round must not end the task
                self._log.exception("background work failed, it will be tried again", work=name)


def _nothing() -> None:
    """What takes moments is not stopped."""
