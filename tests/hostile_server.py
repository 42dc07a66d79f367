"""A TCP server that answers HTTP requests with whatever bytes a test wants, and stops wherever it wants."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Heard:
    """One request.

    Attributes:
        method: GET, HEAD, …
        path: with its query.
        headers: by name in lower case.
    """

    method: str
    path: str
    headers: dict[str, str]


STALL = b""
"""Among the bytes of an answer: send nothing more until the other side goes, or the server ends."""

Answers = Callable[[Heard], Iterable[bytes]]
"""The bytes of an answer; the connection is cut after them."""


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    """An HTTP answer with its length; `_` in the names of fields is `-`."""
    fields = {"Content_Length": str(len(body))} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


@dataclass
class HostileServer:
    """A running server.

    Attributes:
        host: `HOST:PORT`.
        heard: every request so far.
    """

    listener: socket.socket
    answers: Answers
    heard: list[Heard] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        """Where it listens."""
        name, port = self.listener.getsockname()[:2]
        return f"{name}:{port}"

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def end(self) -> None:
        """Take no further connections, and let go of stalled ones."""
        self._ended.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self.heard.append(_read(head.decode("latin-1")))
            for piece in self.answers(self.heard[-1]):
                if piece == STALL:
                    self._ended.wait(60)
                connection.sendall(piece)


def _read(head: str) -> Heard:
    first, *lines = head.partition("\r\n\r\n")[0].split("\r\n")
    method, path, _ = first.split(" ")
    return Heard(method, path, {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines})


@contextmanager
def hostile(answers: Answers, address: str = "127.0.0.1") -> Iterator[HostileServer]:
    """A server that answers so, until the block ends."""
    server = HostileServer(socket.create_server((address, 0)), answers)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.end()
        thread.join()
