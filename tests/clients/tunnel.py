"""A proxy through which an address that is nobody's means the registry: for a client that treats loopback apart."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.clients.cut_line import Forward, cut_line

# RFC 5737: for documentation. The registry's certificate names it; nothing is ever sent there.
ELSEWHERE = "192.0.2.1"


class _Tunnel(Forward):
    def handle(self) -> None:
        """Say yes to CONNECT, whatever it names (RFC 9110, section 9.3.6)."""
        head = b""
        while b"\r\n\r\n" not in head and (piece := self.request.recv(1)):
            head += piece
        if head.startswith(b"CONNECT "):
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            super().handle()


@contextmanager
def tunnel(target: str) -> Iterator[str]:
    """The URL of an HTTP proxy whose every connection is one to the registry, until the block ends."""
    with cut_line(target, kind=_Tunnel) as line:
        yield f"http://{line.host}"
