"""Connections with one request outstanding each: no parsing where the lengths of answers repeat."""

import socket
from dataclasses import dataclass, field

from tests.bench.flows import Job
from tests.bench.images import MANIFEST_TYPE
from tests.bench.questions import QUESTIONS
from tests.bench.wire import Connection, WireError


@dataclass(slots=True)
class Lane:
    """One connection with one request outstanding.

    Attributes:
        socket: the connection.
        whole: bytes of a whole response, as long as the first one was.
        sent: when the outstanding request left, seconds.
        got: bytes of the present response so far.
    """

    socket: socket.socket
    whole: int
    sent: float = 0.0
    got: int = field(default=0)


def open_lanes(job: Job) -> tuple[dict[int, Lane], bytes]:
    """Put in place what the job asks for, then ask once on each connection: lanes by descriptor, and the request."""
    with Connection(job.target) as wire:
        method, path = QUESTIONS[job.flow](wire, job)
    lines = (f"Accept: {MANIFEST_TYPE}",) if "/manifests/" in path else ()
    wires = [Connection(job.reader or job.target) for _ in range(job.clients)]
    request = wires[0].head(method, path, *lines)
    return {wire.socket.fileno(): Lane(wire.socket, _whole(wire.socket, request, method)) for wire in wires}, request


def is_answered(lane: Lane) -> bool:
    """Read what is there; whether the response is whole now."""
    data = lane.socket.recv(1 << 16)
    if not data:
        raise WireError("The server closed a connection in the middle of a run.")
    if lane.got == 0 and not data.startswith(b"HTTP/1.1 2"):
        raise WireError(f"The server answered {data[:80]!r}.")
    lane.got += len(data)
    if lane.got < lane.whole:
        return False
    if lane.got > lane.whole:
        raise WireError("Responses to one request differ in length; this loop counts bytes.")
    lane.got = 0
    return True


def _whole(link: socket.socket, request: bytes, method: str) -> int:
    """Bytes of the response to this request: head and body, as its own framing says."""
    link.sendall(request)
    data = link.recv(1 << 16)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += link.recv(1 << 16)
    head = data[:end].lower()
    if not head.startswith(b"http/1.1 2"):
        raise WireError(f"The server answered {data[:300]!r}.")
    if method == "HEAD":
        return end + 4
    if b"transfer-encoding: chunked" in head:
        while not data.endswith(b"0\r\n\r\n"):
            data += link.recv(1 << 16)
        return len(data)
    whole = end + 4 + int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    while len(data) < whole:
        data += link.recv(1 << 16)
    return whole
