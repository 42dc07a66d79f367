"""Last pulls: which tag and which manifest was pulled when, by whom; seen at the edge, written in groups.

A pull costs one look into memory. What is due, because the same pull was not written for a while, waits for the next
group; an answer from the response cache is seen as well as any other.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from registry.caches import SizedCache
from registry.config.pulls import PullSettings
from registry.metadata import last_pulls
from registry.metadata.last_pulls import Pull
from registry.metadata.store import MetadataStore
from registry.oci.patterns import any_covers
from registry.telemetry.request_record import RequestRecord

_PULL = "manifests.pull"
_SERVED = frozenset({200, 304})
_Seen = tuple[str, str, str, str]


class LastPulls:
    """An observer of requests that records pulls of manifests.

    Only what a client fetches counts: no HEAD, no copy or verification by basegate's own commands (they say so), and
    nothing of the principals that the settings name. A pull by tag counts for the tag and for its digest.

    Args:
        metadata: where pulls are written.
        settings: section `pulls`, read for every pull.
        clock: seconds since the epoch.

    Attributes:
        due: what waits to be written: repository, tag or digest as it was asked for, digest and principal; and when.
    """

    def __init__(
        self, metadata: MetadataStore, settings: Callable[[], PullSettings], clock: Callable[[], float] = time.time
    ) -> None:
        self._metadata = metadata
        self._settings = settings
        self._clock = clock
        self._written: SizedCache[_Seen, float] = SizedCache(settings().remembered)
        self.due: dict[_Seen, float] = {}
        self._log = structlog.get_logger(__name__)

    def observe(self, record: RequestRecord) -> None:
        """Note the pull, if this request was one and it was not written lately."""
        if record.operation != _PULL or record.method != "GET" or record.status not in _SERVED:
            return
        repository, principal = record.repository, record.principal
        if repository is None or principal is None or record.uncounted:
            return
        seen = (repository, record.reference, record.digest, principal.id)
        now, written = self._clock(), self._written.get(seen)
        settings = self._settings()
        if written is not None and now - written < settings.interval_seconds:
            return
        if not settings.interval_seconds or any_covers(settings.uncounted, principal.name):
            return
        if len(self.due) < settings.remembered:
            self._written.put(seen, now)
            self.due[seen] = now

    async def run(self) -> None:
        """Write what is due, until cancelled; then once more."""
        try:
            while True:
                await asyncio.sleep(self._settings().write_seconds)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        """Write what is due; what cannot be written is tried again with the next group."""
        due, self.due = self.due, {}
        if not due:
            return
        try:
            await self._metadata.write(last_pulls.note, list(_pulls(due)))
        except Exception as error:  # noqa: BLE001 - a full disk must not end the rounds
            self.due = {**due, **self.due}
            self._log.warning("last pulls could not be written, they will be tried again", reason=str(error))


def _pulls(due: dict[_Seen, float]) -> Iterable[Pull]:
    for (repository, reference, digest, principal), when in due.items():
        for name in dict.fromkeys((reference, digest)):
            if name:
                yield Pull(repository, name, principal, when)  # type: ignore[arg-type]
