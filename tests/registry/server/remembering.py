"""A server that remembers how it handed out a blob, and a gate that knows whether the application was asked."""

import hashlib
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from registry.app import build
from registry.auth.principals import Principal
from registry.gate import Decision
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.storage.disk.layout import Layout
from registry.telemetry.request_record import RequestRecord
from tests.registry.gates import GateOfTests
from tests.servers import LiveRegistry, joining, open_settings, running

CONTENT = bytes(range(256)) * 160_000
"""More than the buffers of both ends of a connection hold."""
DIGEST = Digest(f"sha256:{hashlib.sha256(CONTENT).hexdigest()}")
BLOB = f"/v2/a/blobs/{DIGEST}"


class AskedGate(GateOfTests):
    """Counts how often the application asks it about blobs: an answer from memory does not."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.changes = 0

    async def before_blob_pull(self, principal: Principal, repository: RepositoryName, digest: Digest) -> Decision:
        """Count, and decide as before."""
        self.asked += 1
        return await super().before_blob_pull(principal, repository, digest)

    def generation(self) -> int:
        """How often a test says that it changed its mind."""
        return self.changes


@dataclass(frozen=True, slots=True)
class Remembering:
    """The server. `heard` is the record of every request it had."""

    live: LiveRegistry
    gate: AskedGate
    heard: list[RequestRecord]
    client: httpx.Client

    @property
    def file(self) -> Path:
        """Where the blob is."""
        return Layout(self.live.data).blob(DIGEST)

    def part(self, text: str) -> httpx.Response:
        """A part of the blob."""
        return self.client.get(BLOB, headers={"Range": text})

    def asking(self) -> socket.socket:
        """A connection on which the whole blob was asked for, and no byte of it taken."""
        host, port = self.live.host.rsplit(":", 1)
        link = socket.create_connection((host, int(port)), timeout=20)
        link.sendall(f"GET {BLOB} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        return link


@contextmanager
def remembering(data: Path, **groups: Any) -> Iterator[Remembering]:
    """Start the server, and ask it for the blob once whole and once in part."""
    gate, heard = AskedGate(), list[RequestRecord]()
    app = build(open_settings(data, **groups), extension=joining(gate=gate, observers=[heard.append]))
    with running(app) as live, live.client() as client:
        place = client.post("/v2/a/blobs/uploads/").headers["location"]
        client.put(place, params={"digest": DIGEST}, content=CONTENT).raise_for_status()
        served = Remembering(live, gate, heard, client)
        assert client.get(BLOB).content == CONTENT
        assert served.part("bytes=0-0").content == CONTENT[:1]
        while len(heard) < 4:  # observers are told behind the last byte
            time.sleep(0.001)
        heard.clear()
        gate.asked = 0
        yield served
