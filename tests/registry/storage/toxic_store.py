"""A proxy before an object store that counts requests, and does to them what stores do on bad days."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.waiting import wait_until

WELL, ERROR, SLOW, AWAY, WRONG, SHORT, LOST = "well", "error", "slow", "away", "wrong", "short", "lost"
HELD = "held"
STALL_SECONDS = 8.0


@dataclass
class ToxicStore:
    """A running proxy.

    Attributes:
        endpoint: its URL.
        toxin: what it does: answers 503, stalls, hangs up, sends other bytes or too few of an object, acknowledges
            what it does not pass on, or waits until it is told something else.
        requests: method and path of each request.
        cut: answers that were not read to their end.
    """

    behind: str
    endpoint: str = ""
    toxin: str = WELL
    requests: list[str] = field(default_factory=list)
    cut: int = 0

    @property
    def bearing(self) -> list[str]:
        """The methods of the requests so far, which are forgotten."""
        methods = [request.partition(" ")[0] for request in self.requests]
        self.requests.clear()
        return methods

    def is_to_change(self) -> bool:
        """Whether it is asked to store or remove something, but copies of rows, which come by themselves."""
        return any(not request.startswith("GET ") and "/copies/" not in request for request in self.requests)

    def forward(self, asked: BaseHTTPRequestHandler) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer of the store behind."""
        connection = HTTPConnection(urlsplit(self.behind).netloc, timeout=60)
        body = asked.rfile.read(int(asked.headers.get("Content-Length", 0)))
        if self.toxin == LOST and asked.command == "PUT":
            return 200, [("ETag", '"lost"'), ("Content-Length", "0")], b""
        connection.putrequest(asked.command, asked.path, skip_host=True, skip_accept_encoding=True)
        for name, value in asked.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        found = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: ToxicStore

    def do_GET(self) -> None:
        """Pass on, or not."""
        store = self.store
        store.requests.append(f"{self.command} {self.path}")
        self.close_connection = store.toxin != WELL
        if store.toxin == AWAY:
            return
        if store.toxin == SLOW:
            time.sleep(STALL_SECONDS)
        if store.toxin == HELD:
            wait_until(lambda: store.toxin != HELD)
        if store.toxin == ERROR:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._send(503, [("Content-Length", "0")], b"")
            return
        status, fields, body = store.forward(self)
        if self.command == "GET" and re.search("/(blobs|uploads)/", self.path.partition("?")[0]):
            body = _spoilt(body, store.toxin)
        self._send(status, fields, body)

    do_PUT = do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 - names of http.server

    def _send(self, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in fields:
            if name.lower() not in {"connection", "transfer-encoding"}:
                self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.store.cut += 1
            raise

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def _spoilt(body: bytes, toxin: str) -> bytes:
    if toxin == WRONG and body:
        return body[:-1] + bytes([body[-1] ^ 1])
    return body[: len(body) // 2] if toxin == SHORT else body


@contextmanager
def toxic(behind: str) -> Iterator[ToxicStore]:
    """A proxy before the store with this endpoint, until the block ends."""
    store = ToxicStore(behind)
    handler = type("Handler", (_Handler,), {"store": store})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # whoever waited has gone
        server.daemon_threads = True
        store.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield store
        finally:
            with suppress(OSError):
                server.shutdown()
            thread.join()
