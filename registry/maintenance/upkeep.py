"""What a running server does for its data folder by itself."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog

from registry.maintenance.pace import Pace, Stopped
from registry.maintenance.scrub import Progress, Scrub, read_progress, save_progress
from registry.metadata.sqlite import SqliteStore
from registry.settings import RegistrySettings, SettingsInForce
from registry.storage.disk import DiskStore

T = TypeVar("T")

_LOOK_SECONDS = 60.0


class Upkeep:
    """Background work of a server, in a thread of its own: the event loop only waits.

    Args:
        storage: the blobs.
        metadata: the rows.
        settings: read anew before each round.
    """

    def __init__(self, storage: DiskStore, metadata: SqliteStore, settings: SettingsInForce[RegistrySettings]) -> None:
        self._storage = storage
        self._metadata = metadata
        self._settings = settings
        self._log = structlog.get_logger("registry.maintenance")

    @property
    def work(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Each runs until it is cancelled."""
        return [self.scrub]

    async def scrub(self) -> None:
        """Read all content when its time has come; a pass that an earlier process has begun goes on at once."""
        data = self._settings.current.data
        pace = Pace(lambda: self._settings.current.scrub.bytes_per_second)
        scrub = Scrub(self._storage, self._metadata, data, pace)
        while True:
            interval, before = self._settings.current.scrub.interval_seconds, read_progress(data)
            if not before.finished:
                save_progress(data, Progress(before.started, finished=time.time()))
            elif interval and (before.is_under_way or time.time() >= before.finished + interval):
                await self._attempt("scrub", scrub.run, pace.stop)
            await asyncio.sleep(min(_LOOK_SECONDS, interval or _LOOK_SECONDS))

    async def _attempt(self, what: str, work: Callable[[], object], stop: Callable[[], None]) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix=what) as pool:
            try:
                await asyncio.get_running_loop().run_in_executor(pool, work)
            except asyncio.CancelledError:
                stop()
                raise
            except Stopped:
                return
            except Exception:  # noqa: BLE001  one failed round must not end the rounds
                self._log.exception("background work failed, it will be tried again", work=what)
