"""One client connection: heads are read strictly, requests are served in order, bytes may bypass the event loop.

This is uvicorn's seat for an HTTP protocol, so that everything around it (start, stop, limits) stays uvicorn's.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Scope
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.server import ServerState

from registry.oci.errors import BadRequest, document_of
from registry.server.chunked import ChunkRefused
from registry.server.errand import Errand
from registry.server.head import Fields, Head, HeadRefused, read_head
from registry.server.link import Link, PeerStalled
from registry.server.means import Means
from registry.server.neighbour import send_at_once
from registry.server.parcel import Parcel
from registry.server.reading import read_window
from registry.server.receiving import Body, PeerLeft, Sink, receive_body
from registry.server.response import whole
from registry.server.sending import Window, send_window
from registry.server.turn import Turn

PIPELINED = 1 << 16
"""Bytes of requests that may wait behind the one being served."""
LINGER = 2.0
"""Seconds a refused client may go on sending, so that it gets to read why it was refused."""
UNREAD = 1 << 20
"""Bytes of an answered request's body that are read and dropped rather than ending the connection."""
TICK = 1.0
"""Seconds between looks at the clock."""
_FIRST_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ\r")


class Connection(asyncio.Protocol):
    """Implements `registry.server.turn.Wire` for its turns, and `registry.server.errand.Sender` for its errands."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        means: Means,
    ) -> None:
        self._config = config
        self._app: ASGIApp = config.loaded_app
        self._state = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._means = means
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._ahead = b""
        self._link: Link | None = None
        self._turn: Turn | Errand | None = None
        self._closing = False
        self._paused = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._touched = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def common(self) -> Fields:
        """Headers of every response."""
        return self._state.default_headers

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = transport  # type: ignore[assignment]
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._secure = transport.get_extra_info("sslcontext") is not None
        self._direct = self._means.sockets and not self._secure
        self._client = _address(transport.get_extra_info("peername"))
        self._server = _address(transport.get_extra_info("sockname"))
        send_at_once(transport.get_extra_info("socket"), self._client[0], self._server[0])
        self._touched = self._loop.time()
        self._timer = self._loop.call_later(TICK, self._tick)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client has gone, or was sent away."""
        self._state.connections.discard(self)
        self._closing = True
        self._writable.set()
        if self._link is not None:
            self._link.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._turn is not None:
            self._turn.disconnect()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._touched = self._loop.time()
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

    def shutdown(self) -> None:
        """The server stops: end after the present request."""
        if self._turn is None or self._turn.complete:
            self._transport.close()
        else:
            self._turn.keeps = False

    def _tick(self) -> None:
        idle = self._loop.time() - self._touched
        waits_for_head = self._turn is None
        turn = self._turn
        waits_for_body = isinstance(turn, Turn) and not turn.framing.complete and not turn.pouring
        if waits_for_head and idle > self._config.timeout_keep_alive:
            self._transport.close()
        elif waits_for_body and not self._paused and idle > self._means.patience:
            self.cut()
        else:
            self._timer = self._loop.call_later(TICK, self._tick)

    # requests

    def _advance(self) -> None:
        """Go as far as the bytes at hand allow."""
        while self._ahead and not self._closing:
            turn = self._turn
            if turn is None:
                if not self._begin():
                    return
            elif isinstance(turn, Errand) or turn.pouring or turn.framing.complete:
                if len(self._ahead) > PIPELINED:
                    self._pause()
                return
            else:
                self._feed(turn)

    def _begin(self) -> bool:
        """Take a head, if a whole one is there."""
        if self._ahead.startswith(b"\r\n"):
            self._ahead = self._ahead[2:]  # RFC 9112 section 2.2: some clients end a body with an empty line
            return True
        if self._ahead[0] not in _FIRST_BYTES:
            # docker and podman try TLS first: they must hear at once that this is not TLS, or they wait for 10 s.
            self._refuse(HeadRefused(400, "this is not a request: plain HTTP/1.1 is spoken here, not TLS or HTTP/2"))
            return False
        end = self._ahead.find(b"\r\n\r\n", 0, self._means.head_bytes)
        if end < 0:
            if len(self._ahead) > self._means.head_bytes:
                self._refuse(HeadRefused(431, f"the head of the request has more than {self._means.head_bytes} bytes"))
            return False
        raw, self._ahead = self._ahead[:end], self._ahead[end + 4 :]
        memory = self._means.memory
        found = None if memory is None else memory.again(raw, self._client[0], self.common)
        if found is not None:
            self._answer(raw, found)
            return True
        try:
            head = read_head(raw)
        except HeadRefused as refusal:
            self._refuse(refusal)
            return False
        found = None if memory is None else memory.find(raw, head, self._client[0], self.common)
        if found is not None:
            self._answer(raw, found)
        else:
            self._serve(head)
        return True

    def _answer(self, raw: bytes, found: bytes | Parcel) -> None:
        if isinstance(found, bytes):
            self._transport.write(found)
            self._state.total_requests += 1
        elif self._direct and not self._transport.get_write_buffer_size() and not self._transport.is_closing():
            self._turn = errand = Errand(raw, found, self._linked(), self._means, self)
            errand.begin(self._state.tasks)
        else:
            self.ask(raw)

    def _serve(self, head: Head) -> Turn:
        memory = self._means.memory
        note = memory.note(head) if memory is not None else None
        heard = partial(memory.learn, note) if memory is not None and note is not None else None
        self._turn = turn = Turn(head, self._scope(head), self, heard)
        turn.scope["extensions"] = self._extensions(turn)
        if self._direct and not turn.framing.arrives_with(len(self._ahead)):
            self._pause()  # the application says how the body is to be read: here or, past this, by a worker
        task = self._loop.create_task(turn.run(self._app_now()))
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)
        return turn

    def _app_now(self) -> ASGIApp:
        limit = self._config.limit_concurrency
        busy = limit is not None and max(len(self._state.connections), len(self._state.tasks)) >= limit
        return service_unavailable if busy else self._app  # type: ignore[return-value]

    def _scope(self, head: Head) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": head.version,
            "server": self._server,
            "client": self._client,
            "scheme": "https" if self._secure else "http",
            "method": head.method,
            "root_path": "",
            "path": head.path,
            "raw_path": head.raw_path,
            "query_string": head.query,
            "headers": head.fields,
            "state": self._app_state.copy(),
        }

    def _extensions(self, turn: Turn) -> dict[str, Any]:
        offered: dict[str, Callable[..., Any] | dict[str, Any]] = {"http.response.pathsend": {}}
        if self._direct and (turn.head.length is None or turn.head.length):
            offered["basegate.pour"] = turn.pour
        return offered

    def _feed(self, turn: Turn) -> None:
        try:
            pieces, rest = turn.framing.feed(memoryview(self._ahead))
        except ChunkRefused as refusal:
            self._refuse_body(turn, str(refusal))
            return
        turn.feed(pieces)
        self._ahead = bytes(rest)
        if turn.full:
            self._pause()
        if turn.complete and turn.framing.complete:
            self._turn = None

    def _refuse(self, refusal: HeadRefused) -> None:
        error = BadRequest(str(refusal))
        body = json.dumps(document_of(error)).encode()
        fields = [
            (b"content-type", b"application/json"),
            (b"docker-distribution-api-version", b"registry/2.0"),
            (b"x-content-type-options", b"nosniff"),
        ]
        self._transport.write(whole(refusal.status, fields, body, self.common))
        self._linger()

    def _refuse_body(self, turn: Turn, message: str) -> None:
        started = turn.started
        turn.disconnect()
        if started:
            self.cut()
        else:
            self._refuse(HeadRefused(400, f"{message}: the connection ends here"))

    def _linger(self) -> None:
        """Let the client read the answer: closing over unread bytes would reset the connection and lose it."""
        self._closing = True
        self._ahead = b""
        if self._transport.can_write_eof():
            self._transport.write_eof()
            self._loop.call_later(LINGER, self._transport.close)
        else:
            self._transport.close()

    # what turns ask for

    def write(self, data: bytes) -> None:
        """Queue bytes to the client."""
        if data and not self._transport.is_closing():
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the client takes bytes again."""
        await self._writable.wait()

    async def send_window(self, head: bytes, window: Window) -> None:
        """Past the event loop where nothing queued stands before it; else in pieces."""
        if self._direct and await self._flushed():
            await send_window(self._linked(), head, window, self._means.pool, self._means.patience)
            return
        self.write(head)
        async with aclosing(read_window(window, self._means.pool)) as pieces:
            async for piece in pieces:
                if self._transport.is_closing():
                    raise ConnectionResetError("the peer has left")
                self._transport.write(piece)
                await self.drained()

    async def pour(self, turn: Turn, sink: Sink, held: bytes) -> int:
        """First what is here, then what the socket gives."""
        self._pause()
        try:
            return await self._pour(turn, sink, held)
        except ChunkRefused as refusal:
            self._refuse_body(turn, str(refusal))
            raise
        except (PeerLeft, PeerStalled):
            self.cut()
            raise
        finally:
            self.resume()

    async def _pour(self, turn: Turn, sink: Sink, held: bytes) -> int:
        ahead, self._ahead = self._ahead, b""
        pieces, rest = turn.framing.feed(memoryview(ahead))
        self._ahead = bytes(rest)
        pieces = [memoryview(held), *pieces] if held else pieces
        if not pieces and turn.framing.complete:
            return 0
        means = self._means
        body = Body(turn.framing, sink, pieces)
        taken, behind = await receive_body(self._linked(), body, means.pool, means.patience)
        self._ahead += behind
        return taken

    def _linked(self) -> Link:
        if self._link is None:
            self._link = Link(self._transport)
        return self._link

    def resume(self) -> None:
        """Read on."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._touched = self._loop.time()
            self._transport.resume_reading()

    def over(self, turn: Turn) -> None:
        """Go on with the next request, or end the connection."""
        self._go_on(keeps=turn.keeps and turn.framing.short(UNREAD), free=turn.framing.complete)

    def delivered(self, errand: Errand) -> None:
        """Go on with the next request, or end the connection."""
        self._go_on(keeps=errand.keeps, free=True)

    def _go_on(self, *, keeps: bool, free: bool) -> None:
        self._state.total_requests += 1
        self._touched = self._loop.time()
        if self._transport.is_closing():
            return
        if not keeps:
            self._closing = True
            self._transport.close()
            return
        self.resume()
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
        self._transport.abort()

    def _pause(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    async def _flushed(self) -> bool:
        for _ in range(3):
            if self._transport.get_write_buffer_size() == 0:
                return True
            await asyncio.sleep(0)
        return False


def _address(found: Any) -> tuple[str, int]:
    return (str(found[0]), int(found[1])) if found else ("", 0)
