"""A receiver of webhooks on this machine, which may fail by script, and remembers what it has taken."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class Delivered:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """What was sent to it.

    Attributes:
        url: its address.
        taken: what it has answered with 200.
        tried: everything.
        answer: the status for the next request.
    """

    url: str = ""
    taken: list[Delivered] = field(default_factory=list)
    tried: list[Delivered] = field(default_factory=list)
    answer: Callable[[Delivered], int] = lambda _request: 200


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """Receive until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if len(body) < int(self.headers["content-length"]):
                return  # whoever sent it has died in the middle
            got = Delivered(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            status = receiver.answer(got)
            receiver.tried.append(got)
            if status == 200:
                receiver.taken.append(got)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
