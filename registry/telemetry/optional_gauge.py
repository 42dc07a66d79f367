"""A metric that not every server has a value of."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class OptionalGauge(Collector):
    """Reads the value at each call.

    Args:
        name: of the metric.
        words: what it says, for people.
        value: the value; `None` where there is none.
    """

    def __init__(self, name: str, words: str, value: Callable[[], float | None]) -> None:
        self._name = name
        self._words = words
        self._value = value

    def collect(self) -> Iterator[Metric]:
        """The metric, with its value if there is one."""
        gauge, value = GaugeMetricFamily(self._name, self._words), self._value()
        if value is not None:
            gauge.add_metric([], value)
        yield gauge
