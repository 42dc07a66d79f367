"""Receives bodies from sockets in worker threads, which also hash and write them."""

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
"""The most bytes that a worker receives in one turn, so that many uploads share few threads."""
LOW_WATER = 1 << 18
"""Bytes that must arrive before a waiting worker is woken, if that many are still to come."""

Sink = Callable[[memoryview], object]
"""Takes a piece of content, in a worker thread; the piece is valid until it returns."""

_local = threading.local()


class PeerLeft(Exception):
    """The peer closed the connection before the end of the body."""


@dataclass(slots=True)
class Slice:
    """The result of a worker's turn.

    Attributes:
        taken: bytes of content given to the sink.
        rest: bytes received behind the end of the body.
        slow: whether the peer has sent nothing more so far.
    """

    taken: int = 0
    rest: bytes = b""
    slow: bool = False


@dataclass(slots=True)
class Body:
    """A body to receive.

    Attributes:
        framing: decides where it ends.
        sink: where it goes.
        first: content that is already received.
    """

    framing: Framing
    sink: Sink
    first: Sequence[memoryview]


async def receive_body(handle: SocketHandle, body: Body, pool: Executor, patience: float) -> tuple[int, bytes]:
    """Receive the rest of a body without the transport, whose reading must be paused.

    Returns:
        The number of bytes of content, and the bytes received behind the body.

    Raises:
        ChunkRefused: the chunked coding is broken.
        PeerLeft, ConnectionResetError: the connection ended first.
        PeerStalled: nothing came for `patience` seconds.
        Exception: whatever the sink raises; the body is not read further then.
    """
    loop = asyncio.get_running_loop()
    taken, rest = 0, b""
    with handle:  # the kernel buffers that much until a worker is free
        handle.wake_at(min(BUFFER, body.framing.wanted or 1))
    while body.first or not body.framing.complete:
        part = await loop.run_in_executor(pool, _receive, handle, body)
        taken, rest = taken + part.taken, part.rest
        if part.slow:
            await handle.readable(patience)
    return taken, rest


def _receive(handle: SocketHandle, body: Body) -> Slice:
    progress = Slice()
    first, body.first = body.first, ()
    with handle:
        try:
            for piece in first:
                body.sink(piece)
                progress.taken += len(piece)
            _fill(progress, handle, body.framing, body.sink)
        finally:
            if not progress.slow:
                handle.wake_at(1)  # the event loop is woken by single bytes again
    return progress


def _fill(progress: Slice, handle: SocketHandle, framing: Framing, sink: Sink) -> None:
    buffer = _buffer()
    while not framing.complete and progress.taken < SLICE:
        try:
            got = handle.socket.recv_into(buffer, _room(framing))
        except BlockingIOError:
            handle.wake_at(min(LOW_WATER, framing.wanted or 1))
            progress.slow = not handle.ready(select.POLLIN)
            if progress.slow:
                break
            continue
        if not got:
            raise PeerLeft
        pieces, rest = framing.feed(buffer[:got])
        progress.rest = bytes(rest)
        content = _joined(buffer, pieces)
        if content:
            sink(content)
            progress.taken += len(content)


def _joined(buffer: memoryview, pieces: Sequence[memoryview]) -> memoryview:
    """Move the pieces of the buffer together at its start: one write for many small chunks."""
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
    buffer: memoryview | None = getattr(_local, "buffer", None)
    if buffer is None:
        buffer = _local.buffer = memoryview(bytearray(BUFFER))
    return buffer
