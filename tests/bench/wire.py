"""One raw HTTP/1.1 connection, as cheap as Python allows, so that the load generator is not what is measured."""

import os
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

PATIENCE = 120
"""Seconds an answer may take."""

DROP = 1 << 20
"""Bytes a body is dropped by at once."""


class WireError(Exception):
    """The server broke the connection, or the protocol."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        size: bytes of the body.
        body: the body itself, when it was kept.
    """

    status: int
    headers: Mapping[str, str]
    size: int
    body: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a server listens and how it is spoken to; `authorization` is sent with every request."""

    port: int
    authorization: str = ""
    tls: bool = False


class Connection:
    """A keep-alive connection to a server on the loopback interface."""

    def __init__(self, target: Target) -> None:
        plain = socket.create_connection(("127.0.0.1", target.port))
        # A kernel timeout: Python's own would make the descriptor non-blocking, and sendfile with it.
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", PATIENCE, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = _trusting().wrap_socket(plain) if target.tls else plain
        self._tls = target.tls
        self._fixed = "Host: localhost\r\n" + (
            f"Authorization: {target.authorization}\r\n" if target.authorization else ""
        )
        self._ahead = b""

    def __enter__(self) -> Self:
        """The connection itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.socket.close()

    def head(self, method: str, path: str, *lines: str) -> bytes:
        """The bytes of a request's head."""
        extra = "".join(f"{line}\r\n" for line in lines)
        return f"{method} {path} HTTP/1.1\r\n{self._fixed}{extra}\r\n".encode()

    def ask(self, method: str, path: str, *lines: str, body: bytes | None = None, keep: bool = True) -> Answer:
        """Send a request with a small body, or none, and read its answer."""
        sized = lines if body is None else (*lines, f"Content-Length: {len(body)}")
        self.socket.sendall(self.head(method, path, *sized) + (body or b""))
        return self.answer(method, keep=keep)

    def send_file(self, descriptor: int, start: int, size: int) -> None:
        """Send a slice of a file, by the kernel where the connection is plain."""
        end = start + size
        while start < end:
            if self._tls:
                piece = os.pread(descriptor, min(DROP, end - start), start)
                self.socket.sendall(piece)
                start += len(piece)
            else:
                start += os.sendfile(self.socket.fileno(), descriptor, start, end - start)

    def answer(self, method: str, *, keep: bool = True) -> Answer:
        """Read one response; `keep` says whether the body is wanted or only counted."""
        status, headers = self._read_head()
        if method == "HEAD" or status in {204, 304}:
            return Answer(status, headers, 0)
        if headers.get("transfer-encoding") == "chunked":
            body = self._read_chunks()
            return Answer(status, headers, len(body), body)
        size = int(headers["content-length"])
        if keep:
            return Answer(status, headers, size, self._read_exactly(size))
        self._drop(size)
        return Answer(status, headers, size)

    def _read_head(self) -> tuple[int, dict[str, str]]:
        while (end := self._ahead.find(b"\r\n\r\n")) < 0:
            self._more()
        raw, self._ahead = self._ahead[:end].decode("latin-1"), self._ahead[end + 4 :]
        first, *rest = raw.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        return int(first.split(" ", 2)[1]), headers

    def _more(self) -> None:
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise WireError("The server closed the connection before its answer was whole.")
        self._ahead += piece

    def _read_exactly(self, size: int) -> bytes:
        while len(self._ahead) < size:
            self._more()
        wanted, self._ahead = self._ahead[:size], self._ahead[size:]
        return wanted

    def _read_chunks(self) -> bytes:
        pieces = []
        while True:
            while (end := self._ahead.find(b"\r\n")) < 0:
                self._more()
            size = int(self._ahead[:end], 16)
            self._ahead = self._ahead[end + 2 :]
            pieces.append(self._read_exactly(size + 2)[:-2])
            if size == 0:
                return b"".join(pieces)

    def _drop(self, size: int) -> None:
        size -= len(self._ahead)
        self._ahead = b""
        buffer = bytearray(min(DROP, max(size, 1)))
        # MSG_TRUNC lets the kernel throw TCP data away without copying it.
        flags = 0 if self._tls else socket.MSG_TRUNC
        while size > 0:
            got = self.socket.recv_into(buffer, min(DROP, size), flags)
            if not got:
                raise WireError(f"The server closed the connection {size} bytes before the end of a body.")
            size -= got


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # loopback, certificates made for the run
    return context
