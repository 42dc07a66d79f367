"""A remembered answer whose body is a file: its head, the part of the file, and who is told of it afterwards."""

import time
from dataclasses import dataclass

from registry.api.middleware import RequestMiddleware
from registry.http.sendfile import Window
from registry.telemetry.request_record import RequestRecord


@dataclass(slots=True)
class CachedFileResponse:
    """One such answer. It counts among the running requests from `begin` to `tell` or `withdraw`.

    Attributes:
        edge: of the application.
        exchange: what will be told, but for the bytes sent and the time.
        began: when the request was taken up (time.perf_counter).
        head: of the response.
        window: its body.
    """

    edge: RequestMiddleware
    exchange: RequestRecord
    began: float
    head: bytes
    window: Window

    @property
    def path(self) -> str:
        """Of the request, for the log."""
        return self.exchange.path

    def begin(self) -> None:
        """It is sent now."""
        self.edge.running += 1

    def withdraw(self) -> None:
        """Nothing of it was sent: the application is asked after all, and will be told of."""
        self.edge.running -= 1

    def tell(self, sent: int) -> None:
        """It was sent, or as many bytes of its body as could be."""
        self.edge.running -= 1
        self.exchange.sent = sent
        self.exchange.seconds = time.perf_counter() - self.began
        self.edge.tell(self.exchange)
