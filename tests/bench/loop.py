"""A closed loop of one small request on many connections: one thread, epoll, no parsing where lengths repeat."""

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.flows import MANIFEST_TYPE, Job
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


def prepare(job: Job) -> Callable[[], list[float]]:
    """Connect and ask once on each connection; the function answered runs the loop (seconds of each request)."""
    with Connection(job.target) as wire:
        method, path = QUESTIONS[job.flow](wire, job)
    lines = (f"Accept: {MANIFEST_TYPE}",) if "/manifests/" in path else ()
    wires = [Connection(job.target) for _ in range(job.clients)]
    request = wires[0].head(method, path, *lines)
    lanes = {wire.socket.fileno(): Lane(wire.socket, _whole(wire.socket, request, method)) for wire in wires}
    return lambda: _loop(lanes, request, job.seconds)


def _loop(lanes: dict[int, Lane], request: bytes, seconds: float) -> list[float]:
    poll = select.epoll()
    spent: list[float] = []
    for lane in lanes.values():
        poll.register(lane.socket, select.EPOLLIN)
        lane.sent = time.perf_counter()
        lane.socket.send(request)
    end = time.perf_counter() + seconds
    now = 0.0
    while now < end:
        for number, _ in poll.poll():
            lane = lanes[number]
            if not _answered(lane):
                continue
            now = time.perf_counter()
            spent.append(now - lane.sent)
            lane.sent = now
            lane.socket.send(request)
    for lane in lanes.values():
        lane.socket.close()
    return spent


def _answered(lane: Lane) -> bool:
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
