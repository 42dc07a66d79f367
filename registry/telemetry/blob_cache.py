"""How much of an object store's blobs is copied here, as a metric."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class CachedBlobs(Collector):
    """Reads the size at each call.

    Args:
        size: bytes of the copies; `None` where there are never any.
    """

    def __init__(self, size: Callable[[], int | None]) -> None:
        self._size = size

    def collect(self) -> Iterator[Metric]:
        """The metric; it has a value where blobs are in an object store."""
        found, size = (
            GaugeMetricFamily("basegate_blob_cache_bytes", "Blobs of the object store copied here."),
            self._size(),
        )
        if size is not None:
            found.add_metric([], size)
        yield found
