"""Bodies from sockets straight to where they are kept: a worker thread receives, hashes and writes."""

import asyncio
import select
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from registry.http.body_framing import Framing
from registry.http.socket_handle import SocketHandle

BUFFER = 1 << 20
"""Bytes received at once; one such buffer for each worker thread."""
SLICE = 64 << 20
"""Bytes one turn of a worker receives at most, so that many uploads share few threads."""
LOW_WATER = 1 << 18
"""Bytes that must have come before a waiting worker is woken, where that many are still to come."""

Sink = Callable[[memoryview], object]
"""Takes a piece of content, in a worker thread; the piece is valid until it returns."""

_held = threading.local()


class PeerLeft(Exception):
    """The peer closed the connection before the end of the body."""


@dataclass(slots=True)
class Slice:
    """How one worker's turn ended.

    Attributes:
        taken: bytes of content given to the sink.
        rest: bytes received behind the end of the body.
        slow: the peer has nothing more to give at present.
    """

    taken: int = 0
    rest: bytes = b""
    slow: bool = False


@dataclass(slots=True)
class Body:
    """What is received.

    Attributes:
        framing: says where it ends.
        sink: where it goes.
        first: content that has come already.
    """

    framing: Framing
    sink: Sink
    first: Sequence[memoryview]


async def receive_body(link: SocketHandle, body: Body, pool: Executor, patience: float) -> tuple[int, bytes]:
    """Receive the rest of a body past the transport, whose reading must be paused.

    Returns:
        the bytes of content, and what came behind the body.

    Raises:
        ChunkRefused: the chunked coding is broken.
        PeerLeft, ConnectionResetError: the connection ended first.
        PeerStalled: nothing came for `patience` seconds.
        Exception: whatever the sink raises; the body is not read further then.
    """
    loop = asyncio.get_running_loop()
    taken, rest = 0, b""
    with link:  # the kernel makes room for that much while a worker is awaited
        link.wake_at(min(BUFFER, body.framing.wanted or 1))
    while body.first or not body.framing.complete:
        turn = await loop.run_in_executor(pool, _receive, link, body)
        taken, rest = taken + turn.taken, turn.rest
        if turn.slow:
            await link.readable(patience)
    return taken, rest


def _receive(link: SocketHandle, body: Body) -> Slice:
    done = Slice()
    first, body.first = body.first, ()
    with link:
        try:
            for piece in first:
                body.sink(piece)
                done.taken += len(piece)
            _fill(done, link, body.framing, body.sink)
        finally:
            if not done.slow:
                link.wake_at(1)  # the event loop waits for single bytes again
    return done


def _fill(done: Slice, link: SocketHandle, framing: Framing, sink: Sink) -> None:
    buffer = _buffer()
    while not framing.complete and done.taken < SLICE:
        try:
            got = link.socket.recv_into(buffer, _room(framing))
        except BlockingIOError:
            link.wake_at(min(LOW_WATER, framing.wanted or 1))
            done.slow = not link.ready(select.POLLIN)
            if done.slow:
                break
            continue
        if not got:
            raise PeerLeft
        pieces, rest = framing.feed(buffer[:got])
        done.rest = bytes(rest)
        content = _joined(buffer, pieces)
        if content:
            sink(content)
            done.taken += len(content)


def _joined(buffer: memoryview, pieces: Sequence[memoryview]) -> memoryview:
    """The pieces of the buffer moved together at its start: one write for what came in many small chunks."""
    if len(pieces) == 1:
        return pieces[0]
    end = 0
    for piece in pieces:
        buffer[end : end + len(piece)] = piece
        end += len(piece)
    return buffer[:end]


def _room(framing: Framing) -> int:
    return BUFFER if framing.wanted is None else min(BUFFER, framing.wanted)


def _buffer() -> memoryview:
    found: memoryview | None = getattr(_held, "buffer", None)
    if found is None:
        found = _held.buffer = memoryview(bytearray(BUFFER))
    return found
