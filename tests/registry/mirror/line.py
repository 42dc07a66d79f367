"""A line between a mirror and its upstream, which a test slows down, cuts, or has say 429."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 65536


class Line:
    """Forwards connections to one place.

    Attributes:
        rate: bytes a second from the upstream; 0: as fast as it goes.
        cut_after: bytes from the upstream after which every connection is cut, once; 0: never.
        answer: given in the place of the upstream's answers; empty: the upstream answers.
        hold_after: bytes to the upstream after which nothing passes until the client is gone, once; 0: never.
        held: set when that many have passed.
        passed: bytes from the upstream.
        sent: bytes to the upstream.
        connections: how many there were.
    """

    def __init__(self, target: str) -> None:
        name, _, port = target.partition(":")
        self._target = (name, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.rate = 0
        self.cut_after = 0
        self.answer = b""
        self.hold_after = 0
        self.held = threading.Event()
        self.passed = 0
        self.sent = 0
        self.connections = 0
        self._ended = threading.Event()

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the end."""
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._forward, args=(near,), daemon=True).start()

    def end(self) -> None:
        """Take no more."""
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _forward(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            if self.answer:
                near.recv(_PIECE)
                near.sendall(self.answer)
                return
            with socket.create_connection(self._target) as far:
                there = threading.Thread(target=self._pump, args=(near, far), daemon=True)
                there.start()
                self._back(far, near)
                for end in (near, far):
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                there.join()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if self.answer:
                    source.sendall(self.answer)
                    break
                target.sendall(piece)
                self.sent += len(piece)
                if self.hold_after and self.sent >= self.hold_after:
                    self._hold(source)
                    break
            target.shutdown(socket.SHUT_WR)

    def _hold(self, source: socket.socket) -> None:
        self.hold_after = 0
        self.held.set()
        with suppress(OSError):
            while source.recv(_PIECE):
                pass

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        while not self._ended.is_set() and (piece := far.recv(_PIECE)):
            if self.rate:
                time.sleep(len(piece) / self.rate)  # the line is slow
            near.sendall(piece)
            self.passed += len(piece)
            if self.cut_after and self.passed >= self.cut_after:
                self.cut_after = 0
                return


@contextmanager
def line_to(host: str) -> Iterator[Line]:
    """A line to a registry, until the block ends."""
    line = Line(host)
    thread = threading.Thread(target=line.serve)
    thread.start()
    try:
        yield line
    finally:
        line.end()
        thread.join()
