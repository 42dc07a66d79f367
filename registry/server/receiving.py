"""Bodies from sockets straight to where they are kept: a worker thread receives, hashes and writes."""

import asyncio
import select
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from registry.server.body import Framing
from registry.server.link import Link

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


async def receive_body(
    transport: asyncio.Transport, framing: Framing, sink: Sink, pool: Executor, patience: float
) -> tuple[int, bytes]:
    """Receive the rest of a body past the transport, whose reading must be paused.

    Returns:
        the bytes of content, and what came behind the body.

    Raises:
        ChunkRefused: the chunked coding is broken.
        PeerLeft: the connection ended first.
        PeerStalled: nothing came for `patience` seconds.
        Exception: whatever the sink raises; the body is not read further then.
    """
    loop = asyncio.get_running_loop()
    taken, rest = 0, b""
    with Link(transport) as link:
        try:
            while not framing.complete:
                turn = await loop.run_in_executor(pool, _receive, link, framing, sink)
                taken, rest = taken + turn.taken, turn.rest
                if turn.slow:
                    await link.readable(patience)
        finally:
            _wake_at(link, 1)  # the event loop waits for single bytes again
    return taken, rest


def _receive(link: Link, framing: Framing, sink: Sink) -> Slice:
    buffer = _buffer()
    done = Slice()
    while not framing.complete and done.taken < SLICE:
        try:
            got = link.socket.recv_into(buffer, _room(framing))
        except BlockingIOError:
            _wake_at(link, min(LOW_WATER, framing.wanted or 1))
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
    return done


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


def _wake_at(link: Link, count: int) -> None:
    link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)


def _buffer() -> memoryview:
    found: memoryview | None = getattr(_held, "buffer", None)
    if found is None:
        found = _held.buffer = memoryview(bytearray(BUFFER))
    return found
