"""A server that plays back one answer, and keeps what it was asked: another registry, as far as callers can tell."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from policy.gateway.check_result import CheckResult

VERDICT = CheckResult(allowed=True, verdict="cleared", reference="h:1/team/app:v1").document()


class Playback(ThreadingHTTPServer):
    """A server that answers everything with one status and body, and keeps what it was asked.

    Attributes:
        status, body, headers: of every answer.
        allowed: the only `Authorization` that is not answered 401; `None` lets everybody in.
        later: the bodies of later answers.
        tokens: what `/token` answers, whoever asks; "" where there is no such place.
        asked: method, path, `Authorization` and body of every request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.body: Any = VERDICT
        self.headers: dict[str, str] = {}
        self.allowed: str | None = None
        self.later: list[Any] = []
        self.tokens = ""
        self.asked: list[tuple[str, str, str, bytes]] = []

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Playback

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization", ""), body))
        if self.server.tokens and self.path.startswith("/token"):
            self._send(200, json.dumps({"token": self.server.tokens}).encode())
            return
        raw = self.server.body if isinstance(self.server.body, bytes) else json.dumps(self.server.body).encode()
        if self.server.later:
            self.server.body = self.server.later.pop(0)
        refused = self.server.allowed not in {None, self.headers.get("Authorization", "")}
        self._send(401 if refused else self.server.status, raw)

    def _send(self, status: int, raw: bytes) -> None:
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - names of the library

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing is logged."""


@contextmanager
def playing() -> Iterator[Playback]:
    """A running server."""
    with Playback() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()
