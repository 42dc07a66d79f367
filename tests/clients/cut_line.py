"""A line to the registry that is cut once in the middle of a transfer, or never: a forwarder on loopback."""

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PIECE_BYTES = 65_536
LINGER_ZERO = struct.pack("ii", 1, 0)


@dataclass
class CutLine:
    """What the forwarder does and saw.

    Attributes:
        target: `address:port` of the registry.
        after_bytes: how many bytes pass, in either direction and over all connections, before the cut; 0: never.
        host: `address:port` that clients are to use.
        cuts: how often the line was cut: 0 or 1.
        passed_since: bytes that passed since the cut, in either direction.
    """

    target: str
    after_bytes: int
    host: str = ""
    cuts: int = 0
    passed_since: int = 0
    _passed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cut_again(self, after_bytes: int) -> None:
        """Cut the line once more, after so many bytes from now on."""
        with self._lock:
            self.after_bytes, self.cuts, self.passed_since, self._passed = after_bytes, 0, 0, 0

    def pass_on(self, piece: bytes) -> bool:
        """Count a piece; false when the line is to be cut now."""
        with self._lock:
            self._passed += len(piece)
            if self.cuts:
                self.passed_since += len(piece)
            if self.cuts or not self.after_bytes or self._passed < self.after_bytes:
                return True
            self.cuts = 1
            return False


class Forward(socketserver.BaseRequestHandler):
    """One connection of a client, and one to the registry for it."""

    line: CutLine

    def handle(self) -> None:
        """Carry bytes both ways until a side ends or the line is cut."""
        address, _, port = self.line.target.rpartition(":")
        with socket.create_connection((address, int(port))) as upstream:
            pair = (self.request, upstream)
            back = threading.Thread(target=self._carry, args=(upstream, self.request, pair))
            back.start()
            self._carry(self.request, upstream, pair)
            back.join()
        # By ourselves: the server would end the connection in order first.
        self.request.close()

    def _carry(self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        end = socket.SHUT_RDWR
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                if not self.line.pass_on(piece):
                    end = _break_off(pair)
                    break
                sink.sendall(piece)
        for side in pair:
            with suppress(OSError):
                side.shutdown(end)


def _break_off(pair: tuple[socket.socket, socket.socket]) -> int:
    """Have both sides hear of a reset, and of nothing else, when they are closed; how to wake who still reads them."""
    for side in pair:
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    return socket.SHUT_RD


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    block_on_close = True


@contextmanager
def cut_line(target: str, after_bytes: int = 0, kind: type[Forward] = Forward) -> Iterator[CutLine]:
    """Forward a free loopback port to the registry until the block ends."""
    line = CutLine(target, after_bytes)
    handler = type("Forwarding", (kind,), {"line": line})
    with _Server(("127.0.0.1", 0), handler) as server:
        line.host = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield line
        finally:
            server.shutdown()
            thread.join()
