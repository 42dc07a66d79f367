"""ASGI middleware: request ids, headers of every response, drained bodies, and a record for each observer."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.api.errors import render
from registry.api.forwarded import apply_forwarded
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.oci.errors import Unavailable
from registry.telemetry.request_record import Observer, RequestRecord, new_request_id, remember

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
_EXPOSED = b"Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id"
_REQUEST_IDS = frozenset({b"x-request-id", b"x-ms-correlation-request-id"})
_NOTED = _REQUEST_IDS | {b"content-length", b"transfer-encoding", b"expect"}
"""Headers of a request that are read here; ASGI gives their names in lower case."""
_DRAIN_SECONDS = 5.0
_CLIENT_CLOSED = 499

Headers = Sequence[tuple[bytes, bytes]]


class RequestMiddleware:
    """ASGI around the application. What observers raise is logged and otherwise ignored.

    Attributes:
        running: requests that are being served.
    """

    def __init__(
        self, app: ASGIApp, settings: SettingsInForce[RegistrySettings], observers: Sequence[Observer]
    ) -> None:
        self._app = app
        self._settings = settings
        self._observers = tuple(observers)
        self.running = 0
        self._clients: Counter[str] = Counter()
        self._log = structlog.get_logger(__name__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        settings = self._settings.current
        peer = scope.get("client")
        apply_forwarded(scope, settings.server.trusted_proxies)
        # Clients behind a proxy are not counted by connection.
        client = scope["client"][0] if scope.get("client") is not peer else ""
        noted = [(name, value) for name, value in scope["headers"] if name in _NOTED]
        request_record = _request_record(scope, noted)
        remember(scope, request_record)
        passage = _Passage(receive, send, request_record, dict(noted), settings.limits.unread_body_bytes)
        structlog.contextvars.bind_contextvars(request_id=request_record.request_id)
        began = time.perf_counter()
        app = _busy if self.busy or self._is_crowded(client) else self._app
        self.running += 1
        self._clients[client] += 1
        try:
            await app(scope, passage.receive, passage.send)
        except Exception:
            if not passage.disconnected:
                self._log.exception("request failed", method=request_record.method, path=request_record.path)
                if not passage.complete:
                    raise  # the response cannot be finished any more: the server cuts the connection
        finally:
            self.running -= 1
            self._leave(client)
            request_record.seconds = time.perf_counter() - began
            if not request_record.status:
                request_record.status, request_record.error = _CLIENT_CLOSED, None
            self.report(request_record)
            structlog.contextvars.unbind_contextvars("request_id")

    @property
    def busy(self) -> bool:
        """Whether as many requests as allowed are being served."""
        return 0 < self._settings.current.server.concurrency <= self.running

    def _is_crowded(self, client: str) -> bool:
        """Whether a client behind a proxy has as many running requests as it may have connections."""
        return bool(client) and 0 < self._settings.current.server.connections_per_address <= self._clients[client]

    def _leave(self, client: str) -> None:
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]

    def report(self, request_record: RequestRecord) -> None:
        """Report a finished request to every observer; the response cache reports its own."""
        for observer in self._observers:
            try:
                observer(request_record)
            except Exception:  # noqa: BLE001  a failing observer must not fail a response that was sent
                self._log.exception("an observer failed", observer=repr(observer))


class _Passage:
    """Wraps `receive` and `send` of one request."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        request_record: RequestRecord,
        noted: dict[bytes, bytes],
        unread_maximum: int,
    ) -> None:
        self._receive = receive
        self._send = send
        self._request_record = request_record
        self._noted = noted
        self._unread_maximum = unread_maximum
        self._lingers = False
        self._body_ended = False
        self.disconnected = False
        self.complete = False

    async def receive(self) -> Message:
        """Receive a message, and count the body's bytes."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._request_record.received += len(message.get("body", b""))
            self._body_ended = not message.get("more_body", False)
        else:
            self.disconnected = True
        return message

    async def send(self, message: Message) -> None:
        """Send a message; adds the common headers to the head, drops everything once the client has disconnected."""
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            self._request_record.status = message["status"]
            headers = list(message.get("headers", []))
            self._request_record.digest = _digest(headers) or self._request_record.digest
            self._lingers = self._must_linger()
            headers += self._headers()
            await self._send({"type": "http.response.start", "status": message["status"], "headers": headers})
            return
        self._request_record.sent += len(message.get("body", b"")) or message.get("count", 0)
        ends = not message.get("more_body", False)
        if ends and self._lingers:
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)
        self.complete = self.complete or ends

    def _headers(self) -> list[tuple[bytes, bytes]]:
        request_id = self._request_record.request_id.encode("ascii")
        common = [
            (b"docker-distribution-api-version", b"registry/2.0"),
            (b"access-control-expose-headers", _EXPOSED),
            (b"x-ms-correlation-request-id", request_id),
            (b"x-request-id", request_id),
            (b"x-content-type-options", b"nosniff"),
        ]
        return [*common, (b"connection", b"close")] if self._lingers else common

    def _must_linger(self) -> bool:
        """Whether the unread rest of the request's body is too long to drain."""
        if self._body_ended or self.disconnected:
            return False
        if b"transfer-encoding" in self._noted:
            return True
        declared = int(self._noted.get(b"content-length", b"0") or b"0")
        waits = self._noted.get(b"expect", b"").lower() == b"100-continue" and not self._request_record.received
        return declared > 0 and (waits or declared - self._request_record.received > self._unread_maximum)

    async def _drain(self) -> None:
        """Read some of the remaining body, so that the client sees the response before the connection closes."""
        if b"expect" in self._noted and not self._request_record.received:
            return
        left = self._unread_maximum
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while left > 0 and not self._body_ended and not self.disconnected:
                    message = await self.receive()
                    left -= len(message.get("body", b""))
        except TimeoutError:
            return


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 503: too many requests are being served."""
    error = Unavailable("the registry serves as many requests as it may: try again", headers={"Retry-After": "1"})
    response = await render(Request(scope), error)
    await response(scope, receive, send)


def _request_record(scope: Scope, headers: Headers) -> RequestRecord:
    client = (scope.get("client") or ("", 0))[0]
    return RequestRecord(_request_id(headers), client, scope["method"], scope["path"])


def _digest(headers: Headers) -> str:
    for name, value in headers:
        if name == b"docker-content-digest":
            return value.decode("latin-1")
    return ""


def _request_id(headers: Headers) -> str:
    for name, value in headers:
        if name in _REQUEST_IDS:
            text = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(text):
                return text
    return new_request_id()
