"""One client connection: heads are read strictly, requests are served in order, bytes may bypass the event loop.

Whether the socket is read follows from the state of the connection alone (`registry.http.connection_states`), and is
looked at again after everything that changes it (`_settle`).
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import Scope

from registry.http.asgi_scope import address_of, scope_of
from registry.http.body_receiver import PeerLeft, Sink
from registry.http.bypass import Bypass
from registry.http.cached_file import CachedFile
from registry.http.chunked import ChunkRefused
from registry.http.congestion import send_at_once
from registry.http.connection_limits import ConnectionSlot
from registry.http.connection_states import State, state_of
from registry.http.context import ConnectionContext
from registry.http.deadlines import IMPATIENCE, Late, Pace, Waits
from registry.http.error_response import answer_to, broken_body, late_body, late_head, taken_over
from registry.http.file_transfer import FileTransfer
from registry.http.request_cycle import RequestResponseCycle
from registry.http.request_head import Fields, Head, HeadRefused, read_head
from registry.http.sendfile import PATHSEND, Window
from registry.http.socket_handle import PeerStalled

LINGER = 2.0
"""Seconds a refused client may go on sending, so that it gets to read why it was refused."""
UNREAD = 1 << 20
"""Bytes of an answered request's body that are read and dropped rather than ending the connection."""
TICK = 1.0
"""Seconds between looks at the clock."""
BURST = 16
"""Requests of one connection that are begun in one go; others are served before the next."""
_FIRST_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ\r")
_EMPTY_LINES = re.compile(rb"\A(?:\r\n)+")


class Connection(asyncio.Protocol):
    """Implements `request_cycle.Wire` for its turns, and `file_transfer.Sender` for its errands."""

    def __init__(self, means: ConnectionContext, seat: ConnectionSlot) -> None:
        self._means = means
        self._server = means.state
        self._seat = seat
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._ahead = b""
        self._searched = 0
        self._requests = 0
        self._written = 0
        self._goes_on = False
        self._bypass: Bypass = None  # type: ignore[assignment]
        self._turn: RequestResponseCycle | FileTransfer | None = None
        self._closing = False
        self._paused = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._late: HeadRefused | None = None
        self._timer: asyncio.TimerHandle | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = transport  # type: ignore[assignment]
        self._server.connections.add(self)  # type: ignore[arg-type]
        self._secure = transport.get_extra_info("sslcontext") is not None
        direct = self._means.sockets and not self._secure
        self._bypass = Bypass(self._transport, self._means, direct=direct)
        self._client = address_of(transport.get_extra_info("peername"))
        self._own = address_of(transport.get_extra_info("sockname"))
        send_at_once(transport.get_extra_info("socket"), self._client[0], self._own[0])
        self._pace = Pace(self._loop.time())
        self._timer = self._loop.call_later(TICK, self._tick)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client has gone, or was sent away."""
        self._server.connections.discard(self)
        self._closing = True
        self._writable.set()
        self._bypass.close()
        self._seat.leave()
        if self._timer is not None:
            self._timer.cancel()
        if self._turn is not None:
            self._turn.disconnect()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._closing:
            return
        self._ahead = self._ahead + data if self._ahead else data
        self._advance()

    def pause_writing(self) -> None:
        """The client takes bytes slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client takes bytes again."""
        self._writable.set()
        self._advance()

    def shutdown(self) -> None:
        """The server stops: end after the present request."""
        if self._turn is None or self._turn.complete:
            self._transport.close()
        else:
            self._turn.keeps = False

    # time

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK, self._tick)
        now = self._loop.time()
        patience = self._means.waiting if self._seat.refusal is None else IMPATIENCE
        late = self._pace.look(now, self._state().waits, self._requests, self._came(), patience)
        late = late or self._pace.look_at_taking(now, self._bypass.taken(self._written), patience)
        if late is Late.TAKING:
            self._bypass.end()
            self.cut()
        elif late is Late.REQUEST:
            self._closing = True
            self._transport.close()
        elif late is Late.HEAD:
            self._refuse(late_head(patience))
        elif late is not None and isinstance(self._turn, RequestResponseCycle):
            self._end_body(self._turn, late_body(late, patience))

    def _came(self) -> int:
        """Bytes of the present body that have come, those that a worker has not received yet included."""
        if not isinstance(self._turn, RequestResponseCycle):
            return 0
        return self._turn.framing.came + (self._bypass.came() if self._bypass.waits else 0)

    # reading

    def _state(self) -> State:
        if self._closing:
            return State.CLOSING
        return state_of(
            self._turn,
            len(self._ahead),
            held_back=self._held_back,
            direct=self._bypass.direct,
            worker_waits=self._bypass.waits,
        )

    @property
    def _held_back(self) -> bool:
        """Whether no request is begun just now: it is others' turn, or the client takes no answers."""
        return self._goes_on or not self._writable.is_set()

    def _settle(self) -> None:
        """Read, or do not: after everything that changes the state."""
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
        """Go as far as the bytes at hand allow."""
        self._goes_on = False
        begun = 0
        while self._ahead and not self._closing:
            turn = self._turn
            if turn is None:
                if begun == BURST:
                    self._goes_on = True
                    self._loop.call_soon(self._advance)
                if self._held_back or not self._begin():
                    break
                begun += 1
            elif isinstance(turn, FileTransfer) or turn.pouring or turn.framing.complete:
                break
            else:
                self._feed(turn)
        self._settle()

    def _begin(self) -> bool:
        """Begin a request, if a whole head is there."""
        raw = self._next_head()
        if raw is None:
            return False
        if self._seat.refusal is not None:
            return self._refuse(self._seat.refusal)
        memory = self._means.memory
        found = None if memory is None else memory.again(raw, self._client[0], self.common)
        if found is not None:
            self._answer(raw, found)
            return True
        try:
            head = read_head(raw)
        except HeadRefused as refusal:
            return self._refuse(refusal)
        found = None if memory is None else memory.find(raw, head, self._client[0], self.common)
        if found is not None:
            self._answer(raw, found)
        else:
            self._serve(head)
        return True

    def _next_head(self) -> bytes | None:
        if self._ahead.startswith(b"\r\n"):
            self._ahead = _EMPTY_LINES.sub(b"", self._ahead)  # RFC 9112 section 2.2: some end a body with one
        if self._ahead and self._ahead[0] not in _FIRST_BYTES:
            # docker and podman try TLS first: they must hear at once that this is not TLS, or they wait for 10 s.
            self._refuse(HeadRefused(400, "this is not a request: plain HTTP/1.1 is spoken here, not TLS or HTTP/2"))
            return None
        end = self._ahead.find(b"\r\n\r\n", self._searched, self._means.head_bytes)
        if end < 0:
            self._searched = max(0, len(self._ahead) - 3)
            if len(self._ahead) > self._means.head_bytes:
                self._refuse(HeadRefused(431, f"the head of the request has more than {self._means.head_bytes} bytes"))
            return None
        raw, self._ahead, self._searched = self._ahead[:end], self._ahead[end + 4 :], 0
        self._requests += 1
        return raw

    def _answer(self, raw: bytes, found: bytes | CachedFile) -> None:
        if isinstance(found, bytes):
            self.write(found)
            self._server.total_requests += 1
        elif self._bypass.direct and not self._transport.get_write_buffer_size() and not self._transport.is_closing():
            self._turn = errand = FileTransfer(raw, found, self._bypass.link(), self._means, self)
            errand.begin(self._server.tasks)
        else:
            self.ask(raw)

    def _serve(self, head: Head) -> RequestResponseCycle:
        memory = self._means.memory
        note = memory.note(head) if memory is not None else None
        heard = partial(memory.learn, note) if memory is not None and note is not None else None
        self._turn = turn = RequestResponseCycle(head, self._scope(head), self, heard)
        turn.scope["extensions"] = self._extensions(turn)
        task = self._loop.create_task(turn.run(self._means.app))
        task.add_done_callback(self._server.tasks.discard)
        self._server.tasks.add(task)
        return turn

    def _scope(self, head: Head) -> Scope:
        scheme = "https" if self._secure else "http"
        return scope_of(head, scheme, self._own, self._client)

    def _extensions(self, turn: RequestResponseCycle) -> dict[str, Any]:
        offered: dict[str, Callable[..., Any] | dict[str, Any]] = {"http.response.pathsend": PATHSEND}
        if self._bypass.direct and (turn.head.length is None or turn.head.length):
            offered["basegate.pour"] = turn.pour
        if not turn.framing.complete:
            offered["basegate.waited-for"] = partial(self._waited_for, turn)
            offered["basegate.interrupt"] = partial(self._interrupt, turn)
        return offered

    def _feed(self, turn: RequestResponseCycle) -> None:
        try:
            pieces, rest = turn.framing.feed(memoryview(self._ahead))
        except ChunkRefused as refusal:
            self._end_body(turn, broken_body(refusal))
            return
        turn.feed(pieces)
        self._ahead = bytes(rest)
        if turn.complete and turn.framing.complete:
            self._turn = None

    def _refuse(self, refusal: HeadRefused) -> bool:
        """Answer, and end; nothing is begun."""
        self.write(answer_to(refusal, self.common, self._means.wording))
        self._linger()
        return False

    def _waited_for(self, turn: RequestResponseCycle) -> int | None:
        return self._came() if turn is self._turn and self._state().waits is Waits.BODY else None

    def _interrupt(self, turn: RequestResponseCycle, why: str) -> None:
        if turn is self._turn and self._state().waits is Waits.BODY:
            self._end_body(turn, taken_over(why))

    def _end_body(self, turn: RequestResponseCycle, why: HeadRefused) -> None:
        """A body that does not come to its end: the client hears why, where it has heard nothing yet."""
        if turn.pouring and self._late is None:
            self._late = why
            self._bypass.end_reading()  # the worker sees the end, and `pour` comes here again
            return
        heard = turn.started or turn.complete
        turn.disconnect()
        if heard:
            self.cut()
        else:
            self._refuse(why)

    def _linger(self) -> None:
        """Let the client read the answer: closing over unread bytes would reset the connection and lose it."""
        self._closing = True
        self._ahead = b""
        self._settle()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._loop.call_later(LINGER, self._transport.close)

    # what turns ask for

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
        """Past the event loop, or in pieces."""
        await self._bypass.send_window(head, window, self)

    async def pour(self, turn: RequestResponseCycle, sink: Sink, held: bytes) -> int:
        """First what is here, then what the socket gives."""
        self._settle()
        try:
            return await self._pour(turn, sink, held)
        except ChunkRefused as refusal:
            self._late = self._late or broken_body(refusal)
            self._end_body(turn, self._late)
            raise
        except PeerStalled:
            self._late = late_body(Late.BODY, self._means.waiting)
            self._end_body(turn, self._late)
            raise
        except PeerLeft:
            self._end_body(turn, self._late) if self._late else self.cut()
            raise

    async def _pour(self, turn: RequestResponseCycle, sink: Sink, held: bytes) -> int:
        ahead, self._ahead = self._ahead, b""
        pieces, rest = turn.framing.feed(memoryview(ahead))
        self._ahead = bytes(rest)
        pieces = [memoryview(held), *pieces] if held else pieces
        if not pieces and turn.framing.complete:
            return 0
        taken, behind = await self._bypass.receive(turn.framing, sink, pieces)
        self._ahead += behind
        return taken

    def resume(self) -> None:
        """Read, or do not, as the turn now is."""
        self._settle()

    def over(self, turn: RequestResponseCycle) -> None:
        """Go on with the next request, or end the connection."""
        self._go_on(keeps=turn.keeps and turn.framing.short(UNREAD), free=turn.framing.complete)

    def delivered(self, errand: FileTransfer) -> None:
        """Go on with the next request, or end the connection."""
        self._go_on(keeps=errand.keeps, free=True)

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
                self._turn = None
            self._advance()

    def ask(self, raw: bytes) -> None:
        """Let the application answer, as if nothing were remembered."""
        keeps = self._turn is None or self._turn.keeps
        turn = self._serve(read_head(raw))
        turn.keeps = turn.keeps and keeps
        if self._closing:
            turn.disconnect()

    def cut(self) -> None:
        """End the connection at once."""
        self._closing = True
        self._bypass.end_reading()  # a worker that waits for the client waits for nothing any more
        self._transport.abort()
