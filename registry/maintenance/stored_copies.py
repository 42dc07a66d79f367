"""Copies of the rows of several nodes in the object store that they share: one node makes them, beside requests.

Each is a whole one: what changed is not told from what did not. So the time between two of them is a setting, and
making them takes at most a twentieth of one processor.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.opened_rows import database_of
from registry.errors import BasegateError
from registry.maintenance.pace import Pace
from registry.maintenance.row_archive import CopiedBeside, write_archive
from registry.metadata.store import RowStore
from registry.storage.copies import KeptCopy, RowCopies

_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 60.0
_SHARE = 20
_KEPT = 2
"""Of a store: the newest, and the one before, in case the newest is damaged."""
_DRAFT = "copy/rows.zip"


class StoredCopies:
    """Background work of the node that leads.

    Args:
        copies: where they are kept.
        metadata: the rows.
        settings: read before each round.
        beside: what is copied beside rows.
        attempt: tries work, and logs what goes wrong.
    """

    def __init__(
        self,
        copies: RowCopies,
        metadata: RowStore,
        settings: SettingsInForce[RegistrySettings],
        beside: Sequence[CopiedBeside],
        attempt: Callable[[str, Callable[[], object], Callable[[], None]], Awaitable[None]],
    ) -> None:
        self._copies = copies
        self._metadata = metadata
        self._settings = settings
        self._beside = beside
        self._attempt = attempt
        self._copied: int | None = None
        self._makes_copies = False
        self._behind_since: float | None = None

    async def run(self) -> None:
        """Make a copy when rows have changed, and the one before is old enough; until it is cancelled."""
        due = 0.0
        while True:
            wanted, now = self._settings.current.metadata.copy_seconds, time.monotonic()
            seen = self._generation()
            self._look(seen, wanted, now)
            if self._behind_since is not None and seen is not None and now >= due:
                await self._attempt("copy the rows", *self._round(seen))
                longest = wanted if self._copied is not None else min(wanted, _AGAIN_SECONDS)
                due = now + max(longest, _SHARE * (time.monotonic() - now))
            await asyncio.sleep(min(_LOOK_SECONDS, wanted or _LOOK_SECONDS))

    def behind(self) -> float | None:
        """Seconds that the oldest change has waited for its copy; `None` where this node makes none."""
        if not self._makes_copies:
            return None
        return 0.0 if self._behind_since is None else time.monotonic() - self._behind_since

    def _look(self, seen: int | None, wanted: float, now: float) -> None:
        """Note whether the rows have to be copied, and since when."""
        self._makes_copies = seen is not None and wanted > 0
        if seen is None:
            self._copied = None  # another node leads: what it copied is not known here
        if not self._makes_copies or seen == self._copied:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now

    def _round(self, seen: int) -> tuple[Callable[[], None], Callable[[], None]]:
        """The work of one round, and what stops it."""
        pace = Pace(lambda: 0)

        def copy() -> None:
            self._copied = None
            began = time.monotonic()
            copy_to_store(self._settings.current, self._copies, self._beside, lambda: pace(0))
            self._copied, self._behind_since = seen, began

        return copy, pace.stop

    def _generation(self) -> int | None:
        """That of the rows, where this node leads and the database is heard."""
        try:
            return self._metadata.generation() if self._metadata.leads() else None
        except BasegateError:
            return None


def copy_to_store(
    settings: RegistrySettings, copies: RowCopies, beside: Sequence[CopiedBeside], tick: Callable[[], None]
) -> KeptCopy:
    """Keep all rows of a database as a copy, and remove older ones of them (blocking).

    Args:
        settings: where the rows are.
        copies: where the copy is kept.
        beside: what is copied beside rows.
        tick: called often; what it raises ends the work.
    """
    from registry.database.postgres import engine_of  # noqa: PLC0415 - the driver is an extra

    file, made = settings.data / _DRAFT, time.time()
    engine = engine_of(database_of(settings), 1, reads=True)
    try:
        with engine.connect() as rows:
            head = write_archive(rows, file, beside, made, tick)
        kept = copies.put(head.store, head.event, made, file)
    finally:
        engine.dispose()
        file.unlink(missing_ok=True)
    copies.remove(_outlived(copies.kept(), kept))
    structlog.get_logger(__name__).debug("the rows were copied", name=kept.name, bytes=kept.size)
    return kept


def _outlived(copies: Sequence[KeptCopy], newest: KeptCopy) -> list[KeptCopy]:
    """Those that nobody needs any more. One with later changes stays: the database may be older than it was."""
    own = [copy for copy in copies if copy.store == newest.store]
    return [copy for copy in own[:-_KEPT] if copy.event <= newest.event]
