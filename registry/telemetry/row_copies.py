"""How far the copy of the rows is behind, as a metric."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class CopyLag(Collector):
    """Reads the lag at each call.

    Args:
        behind: seconds that the oldest change waits for its copy; `None` where this server makes no copies.
    """

    def __init__(self, behind: Callable[[], float | None]) -> None:
        self._behind = behind

    def collect(self) -> Iterator[Metric]:
        """The metric; it has a value where copies are made."""
        words = "How long changes of rows have waited for their copy in the object store, in seconds."
        lag, behind = GaugeMetricFamily("basegate_rows_copy_lag_seconds", words), self._behind()
        if behind is not None:
            lag.add_metric([], behind)
        yield lag
