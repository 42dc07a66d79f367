"""Prometheus metrics, in a collector registry of their own: two servers in one process do not mix."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric

from registry.telemetry.request_record import RequestRecord

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class _Unstamped(CollectorRegistry):
    """The metrics of another registry without when each was made, which doubles the series and helps nobody.

    prometheus_client can leave them out for the whole process only, which is not ours alone in tests.
    """

    def __init__(self, whole: CollectorRegistry) -> None:
        super().__init__()
        self._whole = whole

    def collect(self) -> Iterator[Metric]:
        """Each metric."""
        for metric in self._whole.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class Metrics:
    """Metrics of requests. Other rooms add their collectors to `collectors`."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.collectors = CollectorRegistry()
        labels = ("method", "operation")
        self._requests = Counter(
            "basegate_requests", "Requests answered.", (*labels, "status"), registry=self.collectors
        )
        self._seconds = Histogram(
            "basegate_request_seconds", "Time to answer.", labels, buckets=_SECONDS, registry=self.collectors
        )
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._received = Counter("basegate_received_bytes", "Body bytes that came in.", registry=self.collectors)
        self._sent = Counter("basegate_sent_bytes", "Body bytes that went out.", registry=self.collectors)
        self._errors = Counter("basegate_errors", "Errors by OCI code.", ("code",), registry=self.collectors)
        self.running = Gauge("basegate_requests_running", "Requests being served.", registry=self.collectors)

    def observe(self, record: RequestRecord) -> None:
        """Count one finished request."""
        method = record.method if record.operation else "other"
        operation = record.operation or "none"
        # There are few sets of labels (routes, methods, statuses), and looking a child up costs more than counting.
        labels = (method, operation, record.status)
        counted = self._counted.get(labels)
        if counted is None:
            requests = self._requests.labels(method, operation, str(record.status))
            counted = self._counted[labels] = (requests, self._seconds.labels(method, operation))
        counted[0].inc()
        counted[1].observe(record.seconds)
        if record.received:
            self._received.inc(record.received)
        if record.sent:
            self._sent.inc(record.sent)
        if record.error is not None:
            self._errors.labels(record.error.code).inc()

    def render(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(_Unstamped(self.collectors))
