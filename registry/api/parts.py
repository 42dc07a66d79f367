"""Several parts of a blob in one answer: `multipart/byteranges` (RFC 9110, section 14.6)."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from registry.api.ranges import Window
from registry.api.responses import Reader, send_rest
from registry.storage.blob_store import StoredBlob
from registry.telemetry.request_record import request_record_of


class PartsResponse(Response):
    """Parts of a blob, streamed one after the other in the order asked for.

    Args:
        blob: what they are parts of.
        read: reads it.
        windows: the parts, at least two.
        headers: those of every answer about the blob.
    """

    def __init__(self, blob: StoredBlob, read: Reader, windows: Sequence[Window], headers: Mapping[str, str]) -> None:
        self._blob = blob
        self._read = read
        boundary = _boundary(blob, windows)
        self._heads = [(_head(boundary, window, first=not at), window) for at, window in enumerate(windows)]
        self._end = f"\r\n--{boundary}--\r\n".encode("ascii")
        length = sum(len(head) + window.length for head, window in self._heads) + len(self._end)
        response_headers = {
            **headers,
            "Content-Type": f"multipart/byteranges; boundary={boundary}",
            "Content-Length": str(length),
            "Accept-Ranges": "bytes",
        }
        super().__init__(status_code=206, headers=response_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the head, then the parts. The first bytes are read before the head: a missing blob is still a 404."""
        request_record = request_record_of(scope)
        if request_record is not None:
            request_record.blob = self._blob
        pieces = self._pieces()
        first = await anext(pieces)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        await send_rest(pieces, scope, send)
        await send({"type": "http.response.body", "body": self._end})

    async def _pieces(self) -> AsyncIterator[bytes]:
        for head, window in self._heads:
            before = head
            async for piece in self._read(self._blob, window.start, window.length):
                yield before + piece
                before = b""


def _head(boundary: str, window: Window, *, first: bool) -> bytes:
    start = "" if first else "\r\n"
    return (
        f"{start}--{boundary}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Range: {window.content_range}\r\n\r\n"
    ).encode("ascii")


def _boundary(blob: StoredBlob, windows: Sequence[Window]) -> str:
    """A boundary from the digest and the parts: blob content cannot contain it on purpose, its digest would change."""
    asked = ",".join(window.content_range for window in windows)
    return hashlib.sha256(f"{blob.digest} {asked}".encode("ascii")).hexdigest()[:32]
