"""Background maintenance by a running server."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import structlog

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.errors import BasegateError
from registry.maintenance.copying import copy_rows
from registry.maintenance.pace import Pace, Stopped
from registry.maintenance.scrub import Progress, Scrub, read_progress, save_progress
from registry.maintenance.snapshot import structure_of
from registry.metadata.open_store import FILE_NAME
from registry.metadata.sqlite_store import SqliteStore
from registry.storage.blob_store import BlobStore, MaintainedStore

T = TypeVar("T")

_LOOK_SECONDS = 60.0
_ROOM_SECONDS = 2.0
_COPY_SECONDS = 1.0
_LATE_SECONDS = 60.0


class Upkeep:
    """Background work of a server, in threads of its own.

    Args:
        storage: the blobs; they are scrubbed where they are kept anywhere but in memory.
        metadata: the rows.
        settings: read before each round.
    """

    def __init__(self, storage: BlobStore, metadata: SqliteStore, settings: SettingsInForce[RegistrySettings]) -> None:
        self._storage = storage
        self._metadata = metadata
        self._settings = settings
        self._behind_since = 0.0
        self._reason = ""
        self._log = structlog.get_logger(__name__)

    @property
    def work(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """The tasks; each runs until it is cancelled."""
        scrubs = [partial(self.scrub, self._storage)] if isinstance(self._storage, MaintainedStore) else []
        return [*scrubs, self.copy, self.check, self.reconsider, self.watch_room]

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

    async def copy(self) -> None:
        """Bring the copy of the rows up to date soon after each change, and at the end."""
        seen: int | None = -1
        try:
            while True:
                longest, now = self._settings.current.storage.copy_seconds, self._generation()
                began = time.monotonic()
                if longest and now not in {None, seen}:
                    seen = now if await self._copied() else -1
                # Copying takes at most a twentieth of one processor, unless `copy_seconds` requires more.
                pause = max(_COPY_SECONDS, 20 * (time.monotonic() - began))
                await asyncio.sleep(min(pause, longest or pause))
        finally:
            if self._settings.current.storage.copy_seconds and self._generation() not in {None, seen}:
                self._copy_now()

    async def check(self) -> None:
        """Check the whole database after its file was written, for at most a hundredth of the time."""
        written = 0
        while True:
            began, now = time.monotonic(), self._written()
            if now != written:
                written = now
                await self._attempt("check the rows", self.check_rows, lambda: None)
            await asyncio.sleep(max(_LOOK_SECONDS, 100 * (time.monotonic() - began)))

    async def reconsider(self) -> None:
        """Check a damaged database again, for at most a hundredth of the time: the damage may be gone."""
        while True:
            began = time.monotonic()
            if self._metadata.watch.damage:
                await self._attempt("read damaged rows again", self.check_rows, lambda: None)
            await asyncio.sleep(max(_ROOM_SECONDS, 100 * (time.monotonic() - began)))

    async def watch_room(self) -> None:
        """Keep the reserve, and make it again when the disk has room."""
        while True:
            self.keep_reserve()
            await asyncio.sleep(_ROOM_SECONDS)

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

    def check_rows(self) -> bool:
        """Whether SQLite finds no problem (blocking); while there is one, nothing is written."""
        watch = self._metadata.watch
        problem = structure_of(self._settings.current.data / FILE_NAME)
        if problem:
            watch.damaged(problem)
        elif problem is not None and watch.damage:
            watch.sound()
            self._log.warning("the database was found damaged, and is sound: it is written again")
        return not problem

    def _written(self) -> int:
        try:
            return (self._settings.current.data / FILE_NAME).stat().st_mtime_ns
        except OSError:
            return 0  # reported by readiness

    def problems(self) -> list[str]:
        """One sentence when the copy is more than a minute behind."""
        behind = time.monotonic() - self._behind_since if self._behind_since else 0.0
        return (
            [f"the copy of the rows is {behind:.0f} seconds behind: {self._reason}"] if behind > _LATE_SECONDS else []
        )

    def _generation(self) -> int | None:
        """`None` while the rows cannot be read: there is nothing to copy then."""
        try:
            return self._metadata.generation()
        except BasegateError:
            return None

    async def _copied(self) -> bool:
        with ThreadPoolExecutor(1, thread_name_prefix="copy") as pool:
            return await asyncio.get_running_loop().run_in_executor(pool, self._copy_now)

    def _copy_now(self) -> bool:
        if self._metadata.watch.problem():
            return False  # the rows may not be those committed
        try:
            copy_rows(self._settings.current.data)
        except (sqlite3.Error, OSError, BasegateError) as error:
            self._behind_since = self._behind_since or time.monotonic()
            self._reason = str(error)
            self._log.warning("the copy of the rows could not be brought up to date", reason=self._reason)
            return False
        self._behind_since = 0.0
        return True

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
