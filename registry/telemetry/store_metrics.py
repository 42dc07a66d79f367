"""What the registry holds, and what is under way, as metrics."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from registry.metadata import blobs, contents, events, sinks, webhooks
from registry.metadata.store import MetadataStore

ROUND_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of one moment.

    Attributes:
        bytes: of distinct blobs.
        lags: of each sink of events that is in force, how many it is behind.
    """

    repositories: int
    tags: int
    manifests: int
    blobs: int
    bytes: int
    lags: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Doing:
    """What is under way.

    Attributes:
        open: upload sessions that have begun and not ended.
        running: how many of them a request works on.
        freed: bytes that this server's own collections have removed.
        collections: how many those were.
    """

    open: int
    running: int
    freed: int
    collections: int


class StoreMetrics(Collector):
    """Counts rows beside the event loop, once a minute or in a hundredth of the time.

    Args:
        metadata: where the rows are.
        doing: what is under way.
        sinks: names of the sinks that the settings have.
    """

    def __init__(
        self, metadata: MetadataStore, doing: Callable[[], Doing], sinks: Callable[[], Collection[str]]
    ) -> None:
        self._metadata = metadata
        self._sinks = sinks
        self._doing = doing
        self._held: Held | None = None

    async def run(self) -> None:
        """Count, round after round, until cancelled."""
        while True:
            began = time.monotonic()
            try:
                self._held = await self._metadata.read_apart(count, self._sinks())
            except Exception as error:  # noqa: BLE001  old figures are better than a server without upkeep
                structlog.get_logger(__name__).warning("the rows could not be counted", reason=str(error))
            await asyncio.sleep(max(ROUND_SECONDS, 100 * (time.monotonic() - began)))

    def collect(self) -> Iterator[Metric]:
        """The metrics; those of rows are left out until they were counted."""
        held, doing = self._held, self._doing()
        if held is not None:
            yield GaugeMetricFamily("basegate_repositories", "Repositories.", held.repositories)
            yield GaugeMetricFamily("basegate_tags", "Tags.", held.tags)
            yield GaugeMetricFamily("basegate_manifests", "Manifests.", held.manifests)
            yield GaugeMetricFamily("basegate_blobs", "Distinct blobs.", held.blobs)
            yield GaugeMetricFamily("basegate_store_bytes", "Bytes of distinct blobs.", held.bytes)
            behind = GaugeMetricFamily("basegate_events_lag", "Events that a sink is behind.", labels=("sink",))
            for sink, lag in held.lags.items():
                behind.add_metric((sink,), lag)
            yield behind
        yield GaugeMetricFamily("basegate_uploads_open", "Uploads that have begun and not ended.", doing.open)
        yield GaugeMetricFamily("basegate_uploads_running", "Uploads that a request works on.", doing.running)
        freed = "Bytes that collections of this server have removed."
        yield CounterMetricFamily("basegate_gc_freed_bytes", freed, doing.freed)
        yield CounterMetricFamily("basegate_gc_runs", "Collections by this server.", doing.collections)


def count(connection: Connection, configured: Collection[str] = ()) -> Held:
    """Count the rows; of sinks those that are `configured`, and webhooks that are not disabled."""
    repositories, tags, manifests = contents.counts(connection)
    distinct, size = blobs.totals(connection)
    newest = events.ends(connection)[1]
    told = {*configured, *(f"{webhooks.PREFIX}{each.name}" for each in webhooks.every(connection) if each.enabled)}
    lags = {each.name: max(0, newest - each.cursor) for each in sinks.every(connection) if each.name in told}
    return Held(repositories, tags, manifests, distinct, size, lags)
