"""One request and its response: the ASGI application's side of a connection."""

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
"""Bytes of a body that wait in memory for the application before the connection is not read any more."""

Heard = Callable[["RequestResponseCycle", Fields, bytes | Window], None]
"""Told of a complete 200 that was sent in one piece, or of a file that was: the turn, its headers, its body."""


class Wire(Protocol):
    """What a turn needs of its connection."""

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
        """Send head and file past the event loop, or in pieces."""
        ...

    async def pour(self, turn: "RequestResponseCycle", sink: Sink, held: bytes) -> int:
        """Give what is held of the body and then its rest to the sink, in a worker thread; the bytes of both."""
        ...

    def resume(self) -> None:
        """Read, or do not, as the turn now is."""
        ...

    def over(self, turn: "RequestResponseCycle") -> None:
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
        pouring: whether a worker thread reads the body now.
        asked: whether the application has asked for the body's pieces.
    """

    def __init__(self, head: Head, scope: Scope, wire: Wire, heard: Heard | None) -> None:
        self.head = head
        self.scope = scope
        self.framing = Framing(head)
        self.keeps = head.keeps
        self.complete = False
        self.disconnected = False
        self.pouring = False
        self.asked = False
        self._wire = wire
        self._heard = heard
        self._pieces: list[bytes] = []
        self._pending = 0
        self._told_end = False
        self._news = asyncio.Event()
        self._continues = head.expects
        self._start: Message | None = None
        self._started = False
        self._left: int | None = 0
        self._chunked = False
        self._told: Fields = []

    async def run(self, app: ASGIApp) -> None:
        """Serve the request; whatever the application leaves undone is made good or the connection is cut."""
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
        """Whether the response's head has left."""
        return self._started

    @property
    def full(self) -> bool:
        """Whether enough of the body waits for the application."""
        return self._pending > PENDING

    def feed(self, pieces: list[memoryview]) -> None:
        """Content has arrived."""
        if not self.complete:
            self._pieces += map(_kept, pieces)
            self._pending += sum(map(len, pieces))
        self._news.set()

    def disconnect(self) -> None:
        """The client is gone."""
        self.disconnected = True
        self._news.set()

    async def receive(self) -> Message:
        """The next piece of the body; after its end, the client's leaving or the end of the response."""
        self._say_continue()
        while not (self.disconnected or self.complete or self._pieces or self._ended()):
            self._news.clear()
            self.asked = True
            self._wire.resume()
            await self._news.wait()
        if self.disconnected or self.complete:
            return {"type": "http.disconnect"}
        body, self._pieces, self._pending = b"".join(self._pieces), [], 0
        self._told_end = self.framing.complete
        return {"type": "http.request", "body": body, "more_body": not self._told_end}

    def _ended(self) -> bool:
        return self.framing.complete and not self._told_end

    async def pour(self, sink: Sink) -> int:
        """The whole rest of the body into the sink, in a worker thread (`scope["extensions"]["basegate.pour"]`).

        Raises:
            ConnectionResetError: the client left, stalled or broke the framing; what came before is in the sink.
            Exception: whatever the sink raises.
        """
        self._say_continue()
        pieces, self._pieces, self._pending = self._pieces, [], 0
        self.pouring = True
        try:
            return await self._wire.pour(self, sink, b"".join(pieces))
        except (PeerLeft, PeerStalled, ChunkRefused) as error:
            self.disconnect()
            raise ConnectionResetError("the client left before the end of the body") from error
        except BaseException:
            self.keeps = False  # bytes of the body may be lost: where the next request begins is not certain any more
            raise
        finally:
            self.pouring = False
            self._wire.resume()

    def _say_continue(self) -> None:
        if self._continues:
            self._continues = False
            if not self._started:
                self._wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def send(self, message: Message) -> None:
        """Take the response: its head waits for the first piece of the body, so that both leave together."""
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
        if whole and self._heard is not None and start["status"] == 200:
            self._heard(self, self._told, body)
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
            raise  # nothing was said yet: the application says something else
        except (PeerStalled, ConnectionError):
            self.disconnect()
            self._wire.cut()
            return
        if self._heard is not None:
            self._heard(self, self._told, window)
        self._finish()

    def _fields(self) -> Fields:
        return list((self._start or {}).get("headers", []))

    def _head(self, *, whole: int | None) -> bytes:
        """The head's bytes; decides how the body is framed. `whole`: the body's length, where it is known here."""
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
        self._told = fields
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
        self._news.set()
        self._wire.over(self)


def _kept(piece: memoryview) -> bytes:
    """The piece as bytes; without copying them where it is all that was received."""
    whole = piece.obj
    return whole if isinstance(whole, bytes) and len(whole) == len(piece) else bytes(piece)


def _log() -> Any:
    return structlog.get_logger(__name__)
