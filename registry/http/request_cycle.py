"""One request and its response: the connection's side of an ASGI application."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import structlog
from starlette.types import ASGIApp, Message, Scope

from registry.http.body_framing import Framing
from registry.http.body_receiver import PeerLeft, Sink
from registry.http.chunked import ChunkRefused
from registry.http.request_head import Fields, Head
from registry.http.response_head import STATUS_LINES, field_lines, read_framing
from registry.http.sendfile import FileRefused, Window
from registry.http.socket_handle import PeerStalled

PENDING = 1 << 19
"""Bytes of a body that wait for the application in memory; beyond them the connection is not read."""

OnComplete = Callable[["RequestResponseCycle", Fields, bytes | Window], None]
"""Called after a 200 sent in one piece, or a file, with the cycle, the header fields and the body."""


class Wire(Protocol):
    """The connection, as a request cycle uses it."""

    @property
    def common(self) -> Fields:
        """Headers of every response."""
        ...

    def write(self, data: bytes) -> None:
        """Queue bytes to the client."""
        ...

    async def drained(self) -> None:
        """Wait until the client takes bytes again."""
        ...

    async def send_window(self, head: bytes, window: Window) -> None:
        """Send head and file."""
        ...

    async def receive_into(self, cycle: "RequestResponseCycle", sink: Sink, first: bytes) -> int:
        """Pass `first` and the rest of the body to the sink in a worker thread; returns the bytes of both."""
        ...

    def resume(self) -> None:
        """Pause or resume reading by the state of the cycle."""
        ...

    def finished(self, cycle: "RequestResponseCycle") -> None:
        """The response is complete."""
        ...

    def cut(self) -> None:
        """End the connection at once."""
        ...


class RequestResponseCycle:
    """Implements ASGI's `receive` and `send` for one request.

    Attributes:
        head: of the request.
        framing: of its body.
        keeps: whether the connection is used again afterwards.
        complete: whether the whole response has been handed to the connection.
        disconnected: whether the client is gone.
        receiving: whether a worker thread receives the body.
        asked: whether the application has asked for the body's pieces.
    """

    def __init__(self, head: Head, scope: Scope, wire: Wire, on_complete: OnComplete | None) -> None:
        self.head = head
        self.scope = scope
        self.framing = Framing(head)
        self.keeps = head.keeps
        self.complete = False
        self.disconnected = False
        self.receiving = False
        self.asked = False
        self._wire = wire
        self._on_complete = on_complete
        self._pieces: list[bytes] = []
        self._pending = 0
        self._end_delivered = False
        self._changed = asyncio.Event()
        self._continues = head.expects
        self._start: Message | None = None
        self._started = False
        self._left: int | None = 0
        self._chunked = False
        self._sent_fields: Fields = []

    async def run(self, app: ASGIApp) -> None:
        """Serve the request; if the application leaves no complete response, send 500 or cut the connection."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:  # noqa: BLE001 - the application's faults end its own request only
            _log().exception("request failed", path=self.scope["path"])
        if self.complete or self.disconnected:
            return
        if self._started:
            self._wire.cut()
            return
        self._start = None
        self.keeps = False
        await self.send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})
        await self.send({"type": "http.response.body", "body": b""})

    @property
    def started(self) -> bool:
        """Whether the response's head was sent."""
        return self._started

    @property
    def full(self) -> bool:
        """Whether enough of the body waits for the application."""
        return self._pending > PENDING

    def feed(self, pieces: list[memoryview]) -> None:
        """Add received content."""
        if not self.complete:
            self._pieces += map(_kept, pieces)
            self._pending += sum(map(len, pieces))
        self._changed.set()

    def disconnect(self) -> None:
        """The client is gone."""
        self.disconnected = True
        self._changed.set()

    async def receive(self) -> Message:
        """The next piece of the body; after its end `http.disconnect`, once the client leaves or is answered."""
        self._say_continue()
        while not (self.disconnected or self.complete or self._pieces or self._ended()):
            self._changed.clear()
            self.asked = True
            self._wire.resume()
            await self._changed.wait()
        if self.disconnected or self.complete:
            return {"type": "http.disconnect"}
        body, self._pieces, self._pending = b"".join(self._pieces), [], 0
        self._end_delivered = self.framing.complete
        return {"type": "http.request", "body": body, "more_body": not self._end_delivered}

    def _ended(self) -> bool:
        return self.framing.complete and not self._end_delivered

    async def receive_into(self, sink: Sink) -> int:
        """Pass the rest of the body to the sink in a worker thread (the extension `basegate.receive-into`).

        Raises:
            ConnectionResetError: the client left, stalled or broke the framing; earlier bytes are in the sink.
            Exception: as raised by the sink.
        """
        self._say_continue()
        pieces, self._pieces, self._pending = self._pieces, [], 0
        self.receiving = True
        try:
            return await self._wire.receive_into(self, sink, b"".join(pieces))
        except (PeerLeft, PeerStalled, ChunkRefused) as error:
            self.disconnect()
            raise ConnectionResetError("the client left before the end of the body") from error
        except BaseException:
            self.keeps = False  # bytes of the body may be lost, so the start of the next request is unknown
            raise
        finally:
            self.receiving = False
            self._wire.resume()

    def _say_continue(self) -> None:
        if self._continues:
            self._continues = False
            if not self._started:
                self._wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def send(self, message: Message) -> None:
        """Send the response; its head waits for the first piece of the body, so that one write sends both."""
        if self.disconnected:
            return
        match message["type"]:
            case "http.response.start" if self._start is None:
                self._start = message
            case "http.response.body" if self._start is not None and not self.complete:
                await self._send_body(message.get("body", b""), last=not message.get("more_body", False))
            case "http.response.pathsend" if self._start is not None and not self._started:
                await self._send_file(message)
            case other:
                raise RuntimeError(f"The ASGI message {other!r} does not fit here.")

    async def _send_body(self, body: bytes, *, last: bool) -> None:
        start = self._start or {}
        whole = last and not self._started
        data = [] if self._started else [self._head(whole=len(body) if whole else None)]
        if self.head.method != "HEAD":
            data += self._framed(body, last=last)
        if last:
            self._check_length()
        self._wire.write(b"".join(data))
        if not last:
            await self._wire.drained()
            return
        if whole and self._on_complete is not None and start["status"] == 200:
            self._on_complete(self, self._sent_fields, body)
        self._finish()

    async def _send_file(self, message: Message) -> None:
        window = Window(Path(message["path"]), message.get("offset", 0), message["count"])
        if read_framing(self._fields())[0] != window.count:
            raise RuntimeError("The response's Content-Length is not that of the part of the file to be sent.")
        head = self._head(whole=None)
        try:
            await self._wire.send_window(head, window)
        except FileRefused:
            self._start, self._started, self._left = None, False, 0
            raise  # nothing was sent: the application may answer otherwise
        except (PeerStalled, ConnectionError):
            self.disconnect()
            self._wire.cut()
            return
        if self._on_complete is not None:
            self._on_complete(self, self._sent_fields, window)
        self._finish()

    def _fields(self) -> Fields:
        return list((self._start or {}).get("headers", []))

    def _head(self, *, whole: int | None) -> bytes:
        """The head's bytes; decides how the body is framed. `whole`: the length of a body sent in one piece."""
        status: int = (self._start or {})["status"]
        fields = self._fields()
        self._left, ends = read_framing(fields)
        self._started = True
        self.keeps = self.keeps and not ends and not self._continues
        if self._left is None and self.head.method != "HEAD" and status not in {204, 304}:
            self._choose_framing(fields, whole)
        if not self.keeps and not ends:
            fields.append((b"connection", b"close"))
        elif self.keeps and self.head.version == "1.0":
            fields.append((b"connection", b"keep-alive"))
        self._sent_fields = fields
        return b"".join([STATUS_LINES[status], *field_lines([*self._wire.common, *fields]), b"\r\n"])

    def _choose_framing(self, fields: Fields, whole: int | None) -> None:
        if whole is not None:
            self._left = whole
            fields.append((b"content-length", b"%d" % whole))
        elif self.head.version == "1.0":
            self.keeps = False
        else:
            self._chunked = True
            fields.append((b"transfer-encoding", b"chunked"))

    def _framed(self, body: bytes, *, last: bool) -> list[bytes]:
        if self._chunked:
            chunk = [b"%x\r\n" % len(body), body, b"\r\n"] if body else []
            return [*chunk, b"0\r\n\r\n"] if last else chunk
        if self._left is not None:
            self._left -= len(body)
        return [body]

    def _check_length(self) -> None:
        if self._left and self.head.method != "HEAD":
            raise RuntimeError("The response's body does not have the length its head announced.")

    def _finish(self) -> None:
        self.complete = True
        self._pieces, self._pending = [], 0
        self._changed.set()
        self._wire.finished(self)


def _kept(piece: memoryview) -> bytes:
    """The piece as bytes, without a copy when it is the whole received buffer."""
    whole = piece.obj
    return whole if isinstance(whole, bytes) and len(whole) == len(piece) else bytes(piece)


def _log() -> Any:
    return structlog.get_logger(__name__)
