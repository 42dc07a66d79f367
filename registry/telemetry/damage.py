"""Damaged content and free disk space, as metrics and for readiness."""

from collections.abc import Iterator
from contextlib import suppress

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from registry.storage.blob_store import Quarantine, Reserve

_SHOWN = 3


class DamageReport(Collector):
    """Reads the quarantine and the reserve at each call."""

    def __init__(self, quarantine: Quarantine, reserve: Reserve) -> None:
        self._quarantine = quarantine
        self._reserve = reserve

    def problems(self) -> Iterator[str]:
        """One sentence when content is damaged."""
        damaged = self._quarantine.held()
        if damaged:
            shown = ", ".join(item.digest for item in damaged[:_SHOWN])
            rest = f" and {len(damaged) - _SHOWN} more" if len(damaged) > _SHOWN else ""
            yield f"damaged content is withheld: {shown}{rest}: push it again, or delete what names it and run gc"

    def collect(self) -> Iterator[Metric]:
        """The metrics on damaged content and on the disk."""
        now = GaugeMetricFamily("basegate_damaged_content", "Blobs and manifests withheld because they are damaged.")
        now.add_metric([], len(self._quarantine.held()))
        discoveries = CounterMetricFamily("basegate_damage_found", "How often content was found to be damaged.")
        discoveries.add_metric([], self._quarantine.found)
        yield from (now, discoveries)
        with suppress(OSError):
            yield GaugeMetricFamily("basegate_disk_free_bytes", "Free on the disk of the data.", self._reserve.free())
        full = GaugeMetricFamily("basegate_disk_full", "1 while no content is taken because the disk is full.")
        full.add_metric([], float(self._reserve.given_up))
        yield full
