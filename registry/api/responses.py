"""Responses for content named by its digest: ETag, 304, 206, 416, and the bytes."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from registry.api.ranges import Window, read_windows
from registry.oci.digest import Digest
from registry.oci.errors import OciError
from registry.storage.blob_store import StoredBlob
from registry.storage.disk.errors import as_read_error
from registry.telemetry.request_record import request_record_of

Reader = Callable[[StoredBlob, int, int], AsyncIterator[bytes]]


def digest_headers(digest: Digest, cache_seconds: int | None) -> dict[str, str]:
    """The headers of every response about content; `cache_seconds` is `None` for what a tag may change."""
    freshness = "no-cache" if cache_seconds is None else f"private, max-age={cache_seconds}"
    return {"Docker-Content-Digest": digest, "ETag": f'"{digest}"', "Cache-Control": freshness}


def is_known(request: Request, digest: Digest) -> bool:
    """Whether If-None-Match matches the digest (RFC 9110 section 13.1.2)."""
    listed = ",".join(request.headers.getlist("if-none-match")).split(",")
    return any(entry.strip().removeprefix("W/") in {f'"{digest}"', "*"} for entry in listed)


def windows_of(request: Request, blob: StoredBlob, maximum: int) -> tuple[Window, ...]:
    """The parts of the blob that the request asks for, empty for all; raises RangeNotSatisfiable.

    `maximum`: the most parts in one response.
    """
    text = request.headers.get("range")
    condition = request.headers.get("if-range")
    if text is None or request.method == "HEAD" or condition not in {None, f'"{blob.digest}"'}:
        return ()
    return read_windows(text, blob.size, maximum)


async def send_rest(pieces: AsyncIterator[bytes], scope: Scope, send: Send) -> None:
    """Send pieces of a body, until the client leaves: nothing is read for nobody."""
    has_left: Callable[[], bool] = scope.get("extensions", {}).get("basegate.left", lambda: False)
    async for piece in pieces:
        if has_left():
            return
        await send({"type": "http.response.body", "body": piece, "more_body": True})


class BlobResponse(Response):
    """A blob or one part of it, streamed; given to the server by path where it can send files itself."""

    def __init__(self, blob: StoredBlob, read: Reader, window: Window | None, headers: Mapping[str, str]) -> None:
        self._blob = blob
        self._read = read
        self._window = window or Window(0, blob.size, blob.size)
        response_headers = {
            **headers,
            "Content-Type": "application/octet-stream",
            "Content-Length": str(self._window.length),
            "Accept-Ranges": "bytes",
        }
        if window is not None:
            response_headers["Content-Range"] = window.content_range
        super().__init__(status_code=200 if window is None else 206, headers=response_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the head, then the bytes, unless the request is a HEAD."""
        request_record = request_record_of(scope)
        if request_record is not None:
            request_record.blob = self._blob
        head = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        if scope["method"] == "HEAD" or self._window.length == 0:
            await send(head)
            await send({"type": "http.response.body", "body": b""})
        elif self._blob.path is not None and "http.response.pathsend" in (scope.get("extensions") or {}):
            await self._send_file(scope, send, head)
        else:
            await self._stream(scope, send, head)

    async def _send_file(self, scope: Scope, send: Send, head: Message) -> None:
        await send(head)
        try:
            with _unless_refused(scope):
                await send(self._pathsend())
        except OciError:
            if not self._blob.is_copied:
                raise
            await self._stream(scope, send, head)

    async def _stream(self, scope: Scope, send: Send, head: Message) -> None:
        pieces = self._read(self._blob, self._window.start, self._window.length)
        # Read the first piece before the head is sent: a blob deleted meanwhile is a 404, not a broken body.
        first = await anext(pieces, b"")
        await send(head)
        await send({"type": "http.response.body", "body": first, "more_body": True})
        await send_rest(pieces, scope, send)
        await send({"type": "http.response.body", "body": b""})

    def _pathsend(self) -> dict[str, object]:
        # `offset` and `count` are ours: ASGI's own message knows whole files only, `registry.http` knows parts. The
        # error that it raises for a file that it cannot open is offered as `refused`: nothing has left then.
        return {
            "type": "http.response.pathsend",
            "path": str(self._blob.path),
            "offset": self._window.start,
            "count": self._window.length,
        }


@contextmanager
def _unless_refused(scope: Scope) -> Iterator[None]:
    """Raise the error that replaces the response."""
    refused: type[OSError] | tuple[()] = scope["extensions"]["http.response.pathsend"].get("refused", ())
    try:
        yield
    except refused as refusal:
        request_record = request_record_of(scope)
        if request_record is not None:
            request_record.status, request_record.sent, request_record.digest = 0, 0, ""
        error = refusal.__cause__ if isinstance(refusal.__cause__, OSError) else refusal
        raise as_read_error(error) from refusal


class WholeResponse(Response):
    """Small content; a HEAD gets its length and no body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send head and body."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else bytes(self.body)})


def add_warnings(response: Response, texts: Iterable[str], maximum: int) -> None:
    """Add `Warning: 299 - "…"` headers, `maximum` bytes of values at most (distribution-spec, "Warnings")."""
    for text in texts:
        escaped = text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
        escaped = escaped.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
        value = f'299 - "{escaped}"'
        if len(value) > maximum:
            return
        maximum -= len(value)
        response.headers.append("Warning", value)
