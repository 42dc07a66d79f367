"""One registry served twice: by the own protocol class and by uvicorn's; what each says, as bytes."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import LiveRegistry, open_registry

_VARYING = re.compile(
    rb"(?im)^(date|x-request-id|x-ms-correlation-request-id): [^\r\n]*|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,27}"
)


@dataclass(frozen=True, slots=True)
class BothWays:
    """The two servers."""

    fast: LiveRegistry
    plain: LiveRegistry

    def say(self, *raw: bytes) -> tuple[bytes, bytes]:
        """Send the same bytes to both, each piece by itself; everything each of them answers until it hangs up."""
        return tuple(spoken(live, *raw) for live in (self.fast, self.plain))  # type: ignore[return-value]


@contextmanager
def both_ways(folder: Path) -> Iterator[BothWays]:
    """Start the two."""
    with (
        open_registry(folder / "fast") as fast,
        open_registry(folder / "plain", server={"fast": False}) as plain,
    ):
        yield BothWays(fast, plain)


def spoken(live: LiveRegistry, *raw: bytes) -> bytes:
    """What a server answers to these bytes, without what differs from request to request."""
    host, port = live.host.rsplit(":", 1)
    answer = b""
    with socket.create_connection((host, int(port)), timeout=10) as link:
        try:
            for piece in raw:
                link.sendall(piece)
            while data := link.recv(1 << 16):
                answer += data
        except (ConnectionError, TimeoutError):
            pass  # a refused client may be cut off; what was said until then counts
    return _VARYING.sub(b"~", answer)
