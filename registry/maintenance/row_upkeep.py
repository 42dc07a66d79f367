"""Background maintenance of rows that are a file of the data folder: their copy, and checks for damage."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.errors import BasegateError
from registry.maintenance.copying import copy_rows
from registry.maintenance.snapshot import structure_of
from registry.metadata.open_store import FILE_NAME
from registry.metadata.sqlite_store import SqliteStore

Attempt = Callable[[str, Callable[[], object], Callable[[], None]], Awaitable[None]]
"""Tries work of this name in a thread of its own; the last function stops it."""

_LOOK_SECONDS = 60.0
_ROOM_SECONDS = 2.0
_COPY_SECONDS = 1.0
_LATE_SECONDS = 60.0


class RowUpkeep:
    """Background work of a server.

    Args:
        metadata: the rows.
        settings: read before each round.
        attempt: tries work, and logs what goes wrong.
    """

    def __init__(self, metadata: SqliteStore, settings: SettingsInForce[RegistrySettings], attempt: Attempt) -> None:
        self._metadata = metadata
        self._settings = settings
        self._attempt = attempt
        self._behind_since = 0.0
        self._reason = ""
        self._log = structlog.get_logger(__name__)

    @property
    def work(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """The tasks; each runs until it is cancelled."""
        return [self.copy, self.check, self.reconsider]

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
