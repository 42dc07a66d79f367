"""A proxy through which names of Azure's public cloud lead to a lab: for an az that was told of none."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.clients.cut_line import CutLine, Forward, cut_line


class _ByName(Forward):
    targets: Mapping[str, str]

    def handle(self) -> None:
        """Say yes to CONNECT where the name is one of the lab's (RFC 9110, section 9.3.6)."""
        head = b""
        while b"\r\n\r\n" not in head and (piece := self.request.recv(1)):
            head += piece
        name = head.decode("ascii", "replace").removeprefix("CONNECT ").partition(":")[0]
        if name not in self.targets:
            self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        self.line = CutLine(self.targets[name], 0)
        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        super().handle()


@contextmanager
def leading(targets: Mapping[str, str]) -> Iterator[str]:
    """The URL of an HTTP proxy that connects each name to its IP:PORT, and no other name, until the block ends."""
    with cut_line("", kind=type("ByName", (_ByName,), {"targets": targets})) as line:
        yield f"http://{line.host}"
