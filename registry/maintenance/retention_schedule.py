"""Retention by the server itself: at the set interval, with a line of the audit log for each thing removed."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from registry.config.group import DAY
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.retention import Marks, RetentionRefused, open_retention
from registry.content.retention_plan import Unkept
from registry.content.retention_state import note_recording, ordered_days, read_state, save_state
from registry.metadata.store import MetadataStore
from registry.telemetry.audit import command_line_of

_LOOK_SECONDS = 60.0
_SERVER = "retention"


class RetentionSchedule(Collector):
    """The task of a server, and its metrics.

    Args:
        metadata: the rows.
        settings: read before each round.
        marks: what holds of manifests; `None` where nobody says.
        record: writes a line of the audit log.
    """

    def __init__(
        self,
        metadata: MetadataStore,
        settings: SettingsInForce[RegistrySettings],
        marks: Marks | None,
        record: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._metadata = metadata
        self._settings = settings
        self._record = record
        self._removed = 0
        self._log = structlog.get_logger(__name__)
        self.retention = open_retention(metadata, settings, marks)

    async def run(self) -> None:
        """Apply the rules whenever they are due, until cancelled."""
        while True:
            try:
                await self.round(time.time())
            except Exception:  # noqa: BLE001  a failed round must not end the task
                self._log.exception("background work failed, it will be tried again", work="retention")
            interval = await asyncio.to_thread(self._interval)
            await asyncio.sleep(min(_LOOK_SECONDS, interval or _LOOK_SECONDS))

    async def round(self, now: float) -> None:
        """Note whether pulls are recorded, and apply the rules when they are due."""
        settings = self._settings.current
        try:
            await asyncio.to_thread(note_recording, settings.data, now, recorded=settings.pulls.interval_seconds > 0)
        except OSError as error:  # what is not noted is noted in the next round: rules of pull times keep more by then
            self._log.warning("it cannot be noted whether pulls are recorded", reason=error.strerror)
        interval, state = await asyncio.to_thread(lambda: (self._interval(), read_state(settings.data)))
        if not interval or now < state.ended + interval or not self._metadata.leads():
            return
        try:
            plan = await self.retention.plan(now)
            report = await self.retention.run(plan, self.note, whole=False)
        except RetentionRefused as refusal:
            self._log.error("the rules of retention were not applied", reason=str(refusal))
            state = replace(state, ended=now, removed=0, unkept=0, refused=str(refusal))
            await asyncio.to_thread(save_state, settings.data, state)
            return
        numbers = {"removed": len(report.removed), "unkept": len(plan.unkept)}
        self._log.info("the rules of retention were applied", run=report.run, spared=len(report.spared), **numbers)
        state = replace(state, ended=now, refused="", **numbers)
        await asyncio.to_thread(save_state, settings.data, state)

    def note(self, run: str, gone: Sequence[Unkept], by: str = _SERVER) -> None:
        """Count and record what a run has removed; `by`: who began it."""
        self._removed += len(gone)
        for line in lines_of(run, gone):
            self._record({**line, "name": by})

    def _interval(self) -> int:
        """Seconds from one run to the next, 0 for none; an order counts daily where the setting says nothing."""
        settings = self._settings.current
        group, ordered = settings.retention, ordered_days(settings.data) is not None
        if not group.rules and not ordered:
            return 0
        return group.interval_seconds or (DAY if ordered else 0)

    def collect(self) -> Iterator[Metric]:
        """The metrics on the last run."""
        state = read_state(self._settings.current.data)
        removed = CounterMetricFamily("basegate_retention_removed", "Tags and manifests removed by the rules.")
        removed.add_metric([], self._removed)
        yield removed
        gauge = GaugeMetricFamily
        yield gauge("basegate_retention_unkept", "Tags and manifests that no rule kept, in the last run.", state.unkept)
        yield gauge(
            "basegate_retention_refused", "1: the last run could not apply the rules.", float(bool(state.refused))
        )
        yield gauge("basegate_retention_ended_timestamp_seconds", "When the last run ended; 0: never.", state.ended)


def lines_of(run: str, gone: Sequence[Unkept]) -> Iterator[dict[str, Any]]:
    """A line of the audit log for each thing that a run has removed."""
    for item in gone:
        members = {"repository": item.repository, "reference": item.tag or item.digest, "digest": item.digest}
        yield command_line_of("retention.delete", 0, item.reason, {**members, "detail": f"run={run}"})
