"""A cached response whose body is a file."""

import time
from dataclasses import dataclass

from registry.api.middleware import RequestMiddleware
from registry.http.sendfile import Window
from registry.telemetry.request_record import RequestRecord


@dataclass(slots=True)
class CachedFileResponse:
    """One such response. It counts as a running request from `begin` to `tell` or `withdraw`.

    Attributes:
        edge: of the application.
        request_record: the request record, without the bytes sent and the time.
        began: when the request began (time.perf_counter).
        head: of the response.
        window: its body.
    """

    edge: RequestMiddleware
    request_record: RequestRecord
    began: float
    head: bytes
    window: Window

    @property
    def path(self) -> str:
        """The request's path, for the log."""
        return self.request_record.path

    def begin(self) -> None:
        """Count it as a running request."""
        self.edge.running += 1

    def withdraw(self) -> None:
        """Nothing was sent: the application answers instead, and reports the request."""
        self.edge.running -= 1

    def finish(self, sent: int) -> None:
        """Report the request, with the bytes of the body that were sent."""
        self.edge.running -= 1
        self.request_record.sent = sent
        self.request_record.seconds = time.perf_counter() - self.began
        self.edge.report(self.request_record)
