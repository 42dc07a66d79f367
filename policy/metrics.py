"""What inspection has done since the start, for /metrics."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from policy.inspection.worker.pool import InspectionWorkers


class JudgingMetrics(Collector):
    """Reads the workers' counters whenever somebody asks."""

    def __init__(self, workers: InspectionWorkers) -> None:
        self._workers = workers

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """One family a counter."""
        counters = self._workers.counters
        yield CounterMetricFamily("basegate_layers_opened", "Layers that were read.", counters.layers_opened)
        yield CounterMetricFamily("basegate_layer_bytes_opened", "Layer bytes that were read.", counters.bytes_opened)
        yield CounterMetricFamily("basegate_worker_deaths", "Inspection workers that died.", counters.deaths)
        yield GaugeMetricFamily("basegate_workers", "Inspection workers that run.", len(self._workers.pids))
