"""Raw lines to live servers, over HTTP and over TLS, fast and plain."""

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.auth.actions import Role
from registry.cli.certificate_authority import make_certificates
from tests.registry.auth.people import QUICK, enrol, person
from tests.servers import LiveRegistry, open_registry

WAYS = ("fast", "plain", "fast-TLS", "plain-TLS")


@dataclass(frozen=True, slots=True)
class Lines:
    """A server, and how to reach it.

    Attributes:
        live: the server.
        trusting: knows its certificate; `None` for plain HTTP.
        authorization: a header line of its owner.
    """

    live: LiveRegistry
    trusting: ssl.SSLContext | None
    authorization: bytes

    @contextmanager
    def line(self, *, room: int = 0) -> Iterator[socket.socket]:
        """A connection; `room`: bytes that its end holds unread."""
        address, _, port = self.live.host.rpartition(":")
        with socket.socket() as plain:
            plain.settimeout(20)
            if room:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
            plain.connect((address, int(port)))
            if self.trusting is None:
                yield plain
            else:
                with self.trusting.wrap_socket(plain, server_hostname="localhost") as secure:
                    yield secure


@contextmanager
def lines(folder: Path, way: str, **server: Any) -> Iterator[Lines]:
    """Start a server that is reached one of the `WAYS`."""
    trusting, files = None, {}
    if way.endswith("TLS"):
        made = make_certificates(folder)
        trusting = ssl.create_default_context(cafile=str(made.ca))
        files = {"tls_cert": made.certificate, "tls_key": made.key}
    owner, data = person(Role.OWNER), folder / "data"
    enrol(data, owner)
    authorization = b"Authorization: Basic " + base64.b64encode(f"{owner.row.name}:{owner.secret()}".encode())
    settings = {"fast": way.startswith("fast"), **server}
    with open_registry(data, server=settings, auth={"required": True, "throttle": QUICK}, **files) as live:
        yield Lines(live, trusting, authorization)


def until_end(line: socket.socket) -> bytes:
    """Everything that comes until the other side ends; a reset is an end too."""
    said = b""
    try:
        while data := line.recv(1 << 16):
            said += data
    except (ConnectionError, ssl.SSLError):
        pass
    return said
