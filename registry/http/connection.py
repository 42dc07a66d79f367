"""One client connection: strict heads, requests served in order, bytes that may bypass the event loop.

The state of the connection alone decides whether the socket is read (`registry.http.connection_states`); `_settle`
applies it after every change.
"""

import asyncio
import re
from functools import partial
from typing import Any

from registry.http.asgi_scope import address_of, scope_of
from registry.http.body_receiver import PeerLeft, Sink
from registry.http.bypass import Bypass
from registry.http.chunked import ChunkRefused
from registry.http.congestion import send_at_once
from registry.http.connection_limits import ConnectionSlot
from registry.http.connection_states import State, state_of
from registry.http.context import Cached, ConnectionContext
from registry.http.deadlines import IMPATIENCE, Late, Pace, Waits
from registry.http.error_response import answer_to, broken_body, late_body, late_head, taken_over
from registry.http.file_transfer import FileTransfer
from registry.http.request_cycle import RequestResponseCycle
from registry.http.request_head import Fields, Head, HeadRefused, read_head
from registry.http.sendfile import PATHSEND, Window
from registry.http.socket_handle import PeerStalled
from registry.http.unconfirmed import Unconfirmed

LINGER = 2.0
"""Seconds that a refused client may go on sending, so that it can read why it was refused."""
UNREAD = 1 << 20
"""The most bytes of an answered request's body to read and drop instead of closing the connection."""
TICK = 1.0
"""Seconds between checks of deadlines."""
BURST = 16
"""Requests of one connection begun in one iteration of the event loop."""
_FIRST_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ\r")
_EMPTY_LINES = re.compile(rb"\A(?:\r\n)+")


class Connection(asyncio.Protocol):
    """Implements `request_cycle.Wire` for request cycles and `file_transfer.Sender` for file transfers."""

    def __init__(self, context: ConnectionContext, slot: ConnectionSlot) -> None:
        self._context = context
        self._server = context.state
        self._slot = slot
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._ahead = b""
        self._searched = 0
        self._requests = 0
        self._written = 0
        self._yielded = False
        self._bypass: Bypass = None  # type: ignore[assignment]
        self._current: RequestResponseCycle | FileTransfer | Unconfirmed | None = None
        self._closing = self._stopping = False
        self._paused = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._late: HeadRefused | None = None
        self._timer: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = transport  # type: ignore[assignment]
        self._server.connections.add(self)  # type: ignore[arg-type]
        self._secure = transport.get_extra_info("sslcontext") is not None
        direct = self._context.sockets and not self._secure
        self._bypass = Bypass(self._transport, self._context, direct=direct)
        self._client = address_of(transport.get_extra_info("peername"))
        self._own = address_of(transport.get_extra_info("sockname"))
        send_at_once(transport.get_extra_info("socket"), self._client[0], self._own[0])
        self._pace = Pace(self._loop.time())
        self._timer = self._loop.call_later(TICK, self._tick)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The connection is closed."""
        self._server.connections.discard(self)
        self._closing = True
        self._writable.set()
        self._bypass.close()
        self._slot.leave()
        if self._timer is not None:
            self._timer.cancel()
        if self._current is not None:
            self._current.disconnect()

    def data_received(self, data: bytes) -> None:
        """Process received bytes."""
        if self._closing:
            return
        self._ahead = self._ahead + data if self._ahead else data
        self._advance()

    def pause_writing(self) -> None:
        """Stop writing: the client takes bytes slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on writing."""
        self._writable.set()
        self._advance()

    def shutdown(self) -> None:
        """Close after the present request: the server stops."""
        self._stopping = True
        if self._current is None or self._current.complete:
            self._transport.close()
        else:
            self._current.keeps = False

    # deadlines

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK, self._tick)
        now = self._loop.time()
        patience = self._context.waiting if self._slot.refusal is None else IMPATIENCE
        late = self._pace.check(now, self._state().waits, self._requests, self._received(), patience)
        late = late or self._pace.check_taking(now, self._bypass.taken(self._written), patience)
        if late is Late.TAKING:
            self._bypass.end()
            self.cut()
        elif late is Late.REQUEST:
            self._closing = True
            self._transport.close()
        elif late is Late.HEAD:
            self._refuse(late_head(patience))
        elif late is not None and isinstance(self._current, RequestResponseCycle):
            self._end_body(self._current, late_body(late, patience))

    def _received(self) -> int:
        """Received bytes of the present body, including those that no worker has read from the socket."""
        if not isinstance(self._current, RequestResponseCycle):
            return 0
        return self._current.framing.received + (self._bypass.unread() if self._bypass.waits else 0)

    # reading

    def _state(self) -> State:
        if self._closing:
            return State.CLOSING
        return state_of(
            self._current,
            len(self._ahead),
            held_back=self._held_back,
            direct=self._bypass.direct,
            worker_waits=self._bypass.waits,
        )

    @property
    def _held_back(self) -> bool:
        """Whether no request is begun now: other connections come first, or the client takes no answers."""
        return self._yielded or not self._writable.is_set()

    def _settle(self) -> None:
        """Pause or resume reading by the state; called after every change of it."""
        reads = self._state().reads
        if reads is not self._paused or self._transport.is_closing():
            return
        self._paused = not reads
        if reads:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # requests

    def _advance(self) -> None:
        """Process the received bytes as far as possible."""
        self._yielded = False
        begun = 0
        while self._ahead and not self._closing:
            cycle = self._current
            if cycle is None:
                if begun == BURST:
                    self._yielded = True
                    self._loop.call_soon(self._advance)
                if self._held_back or not self._begin():
                    break
                begun += 1
            elif not isinstance(cycle, RequestResponseCycle) or cycle.receiving or cycle.framing.complete:
                break
            else:
                self._feed(cycle)
        self._settle()

    def _begin(self) -> bool:
        """Begin a request, if its whole head is received."""
        raw = self._next_head()
        if raw is None:
            return False
        if self._slot.refusal is not None:
            return self._refuse(self._slot.refusal)
        cache = self._context.cache
        cached = None if cache is None else cache.find_raw(raw, self._client[0], self.common)
        if cached is not None:
            self._answer(raw, cached)
            return True
        try:
            head = read_head(raw)
        except HeadRefused as refusal:
            return self._refuse(refusal)
        cached = None if cache is None else cache.find(raw, head, self._client[0], self.common)
        if cached is not None:
            self._answer(raw, cached)
        else:
            self._serve(head)
        return True

    def _next_head(self) -> bytes | None:
        if self._ahead.startswith(b"\r\n"):
            self._ahead = _EMPTY_LINES.sub(b"", self._ahead)  # RFC 9112 section 2.2: some clients end bodies so
        if self._ahead and self._ahead[0] not in _FIRST_BYTES:
            # docker and podman try TLS first: without an immediate answer they wait for 10 s.
            self._refuse(HeadRefused(400, "this is not a request: plain HTTP/1.1 is spoken here, not TLS or HTTP/2"))
            return None
        limit = self._context.head_bytes
        end = self._ahead.find(b"\r\n\r\n", self._searched, limit)
        if end < 0:
            self._searched = max(0, len(self._ahead) - 3)
            if len(self._ahead) > limit:
                self._refuse(HeadRefused(431, f"the head of the request has more than {limit} bytes"))
            return None
        raw, self._ahead, self._searched = self._ahead[:end], self._ahead[end + 4 :], 0
        self._requests += 1
        return raw

    def _answer(self, raw: bytes, cached: Cached) -> None:
        if isinstance(cached, bytes):
            self.write(cached)
            self._server.total_requests += 1
        elif callable(cached):
            self._current = Unconfirmed(raw, self)
            cached(self._current.answered)
        elif self._bypass.direct and not self._transport.get_write_buffer_size() and not self._transport.is_closing():
            self._current = transfer = FileTransfer(raw, cached, self._bypass.link(), self._context, self)
            transfer.begin(self._server.tasks)
        else:
            self.serve(raw)

    def _serve(self, head: Head) -> RequestResponseCycle:
        cache = self._context.cache
        noted = cache.generation(head) if cache is not None else None
        on_complete = partial(cache.store, noted) if cache is not None and noted is not None else None
        scope = scope_of(head, "https" if self._secure else "http", self._own, self._client)
        self._current = cycle = RequestResponseCycle(head, scope, self, on_complete)
        cycle.scope["extensions"] = self._extensions(cycle)
        task = self._loop.create_task(cycle.run(self._context.app))
        task.add_done_callback(self._server.tasks.discard)
        self._server.tasks.add(task)
        return cycle

    def _extensions(self, cycle: RequestResponseCycle) -> dict[str, Any]:
        offered: dict[str, Any] = {"http.response.pathsend": PATHSEND, "basegate.left": lambda: cycle.disconnected}
        offered["basegate.stopping"] = lambda: self._stopping
        if self._bypass.direct and (cycle.head.length is None or cycle.head.length):
            offered["basegate.receive-into"] = cycle.receive_into
        if not cycle.framing.complete:
            offered["basegate.waited-for"] = partial(self._waited_for, cycle)
            offered["basegate.interrupt"] = partial(self._interrupt, cycle)
        return offered

    def _feed(self, cycle: RequestResponseCycle) -> None:
        try:
            pieces, rest = cycle.framing.feed(memoryview(self._ahead))
        except ChunkRefused as refusal:
            self._end_body(cycle, broken_body(refusal))
            return
        cycle.feed(pieces)
        self._ahead = bytes(rest)
        if cycle.complete and cycle.framing.complete:
            self._current = None

    def _refuse(self, refusal: HeadRefused) -> bool:
        """Send the refusal and close; returns False: no request was begun."""
        self.write(answer_to(refusal, self.common, self._context.wording))
        self._linger()
        return False

    def _waited_for(self, cycle: RequestResponseCycle) -> int | None:
        return self._received() if cycle is self._current and self._state().waits is Waits.BODY else None

    def _interrupt(self, cycle: RequestResponseCycle, why: str) -> None:
        if cycle is self._current and self._state().waits is Waits.BODY:
            self._end_body(cycle, taken_over(why))

    def _end_body(self, cycle: RequestResponseCycle, why: HeadRefused) -> None:
        """End an incomplete body; tell the client why, unless a response has begun."""
        if cycle.receiving and self._late is None:
            self._late = why
            self._bypass.end_reading()  # the worker's receiving ends, and `receive_into` calls this again
            return
        answered = cycle.started or cycle.complete
        cycle.disconnect()
        if answered:
            self.cut()
        else:
            self._refuse(why)

    def _linger(self) -> None:
        """Close later, so that the client can read the answer: closing with unread bytes resets the connection."""
        self._closing = True
        self._ahead = b""
        self._settle()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._loop.call_later(LINGER, self._transport.close)

    # Wire and Sender

    @property
    def common(self) -> Fields:
        """Headers of every response."""
        return self._server.default_headers

    def write(self, data: bytes | bytearray) -> None:
        """Queue bytes to the client."""
        if data and not self._transport.is_closing():
            self._written += len(data)
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the client takes bytes again."""
        await self._writable.wait()

    async def send_window(self, head: bytes, window: Window) -> None:
        """Send head and file."""
        await self._bypass.send_window(head, window, self)

    async def receive_into(self, cycle: RequestResponseCycle, sink: Sink, first: bytes) -> int:
        """Pass the received content to the sink, then the rest from the socket."""
        self._settle()
        try:
            return await self._receive_into(cycle, sink, first)
        except ChunkRefused as refusal:
            self._late = self._late or broken_body(refusal)
            self._end_body(cycle, self._late)
            raise
        except PeerStalled:
            self._late = late_body(Late.BODY, self._context.waiting)
            self._end_body(cycle, self._late)
            raise
        except PeerLeft:
            self._end_body(cycle, self._late) if self._late else self.cut()
            raise

    async def _receive_into(self, cycle: RequestResponseCycle, sink: Sink, first: bytes) -> int:
        ahead, self._ahead = self._ahead, b""
        pieces, rest = cycle.framing.feed(memoryview(ahead))
        self._ahead = bytes(rest)
        pieces = [memoryview(first), *pieces] if first else pieces
        if not pieces and cycle.framing.complete:
            return 0
        taken, behind = await self._bypass.receive(cycle.framing, sink, pieces)
        self._ahead += behind
        return taken

    def resume(self) -> None:
        """Pause or resume reading by the state of the cycle."""
        self._settle()

    def finished(self, cycle: RequestResponseCycle) -> None:
        """Go on with the next request, or end the connection."""
        self._go_on(keeps=cycle.keeps and cycle.framing.short(UNREAD), free=cycle.framing.complete)

    def delivered(self, transfer: FileTransfer | Unconfirmed) -> None:
        """Go on with the next request, or end the connection."""
        self._go_on(keeps=transfer.keeps, free=True)

    def _go_on(self, *, keeps: bool, free: bool) -> None:
        self._server.total_requests += 1
        if self._transport.is_closing() or self._closing:
            return
        if not keeps and free:
            self._closing = True
            self._transport.close()
        elif not keeps:
            self._linger()
        else:
            if free:
                self._current = None
            self._advance()

    def serve(self, raw: bytes) -> None:
        """Let the application answer, not the cache."""
        keeps = self._current is None or self._current.keeps
        cycle = self._serve(read_head(raw))
        cycle.keeps = cycle.keeps and keeps
        if self._closing:
            cycle.disconnect()

    def cut(self) -> None:
        """End the connection at once."""
        self._closing = True
        self._bypass.end_reading()  # ends the waiting of a worker
        self._transport.abort()
