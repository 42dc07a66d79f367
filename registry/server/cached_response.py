"""What is remembered of the application's answers: the bytes of small ones, and how a file is handed out."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from registry.api.ranges import asks_for_several, read_window
from registry.http.request_head import Fields
from registry.http.response_head import field_lines
from registry.http.sendfile import Window
from registry.oci.errors import RangeNotSatisfiable
from registry.storage.blob_store import StoredBlob
from registry.storage.file_stamp import Stamp
from registry.telemetry.request_record import RequestRecord, new_request_id


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer.

    Attributes:
        exchange: what is told to logs, metrics and audit, but for the request id and the time.
        pieces: the lines of the head between the places where the request id stands.
        body: empty for a HEAD.
        blob: the file that it tells of without a byte of it, when there is one.
        until: when the application is to be asked again (time.monotonic): a HEAD makes what it finds young.
    """

    exchange: RequestRecord
    pieces: list[bytes]
    body: bytes
    blob: StoredBlob | None = None
    until: float = math.inf

    def holds(self) -> bool:
        """Whether what it tells of is still there: a file may go without a row that is written."""
        return self.blob is None or (time.monotonic() < self.until and self.blob.still_there())


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """How a file is handed out, whole and in parts.

    Attributes:
        exchange: what is told, but for the request id, the status, the bytes sent and the time.
        path: of the file.
        size: of the file, in bytes.
        stamp: of the file.
        heads: by status, 200 or 206: the lines of the head as a format for `%`, as far as the application gave them.
    """

    exchange: RequestRecord
    path: Path
    size: int
    stamp: Stamp | None
    heads: dict[int, bytes]

    def part(self, text: str | None) -> tuple[int, Window, bytes, bytes] | None:
        """What a request with this `Range` gets: status, window, format of the head, Content-Range.

        `None` when the application has not shown yet how that is answered, or has to refuse it; and for several ranges.
        """
        if text is not None and asks_for_several(text):
            return None
        try:
            part = None if text is None else read_window(text, self.size)
        except RangeNotSatisfiable:
            return None
        status = 200 if part is None else 206
        if status not in self.heads:
            return None
        if part is None:
            return status, Window(self.path, 0, self.size, self.size, self.stamp), self.heads[status], b""
        window = Window(self.path, part.start, part.length, self.size, self.stamp)
        return status, window, self.heads[status], part.content_range.encode("ascii")


def file_size(window: Window, fields: Fields) -> int:
    """Bytes of the whole file of which an answer with these headers sent a window."""
    ranges = [value for name, value in fields if name.lower() == b"content-range"]
    return int(ranges[0].rpartition(b"/")[2]) if ranges else window.count


def file_head(fields: Fields, request_id: str) -> bytes:
    """The lines of a head as a format for `%`: what differs from one part and request to the next is left open."""
    varying = {b"content-length": b"%(length)d", b"content-range": b"%(range)b"}
    number = request_id.encode("ascii")

    def opened() -> Iterable[tuple[bytes, bytes]]:
        for name, value in fields:
            fixed = value.replace(b"%", b"%%").replace(number, b"%(id)b")
            yield name.replace(b"%", b"%%"), varying.get(name.lower(), fixed)

    return b"".join(field_lines(list(opened())))


def anew(first: RequestRecord, client: str) -> RequestRecord:
    """The same exchange with another client, under a new request id."""
    return RequestRecord(
        new_request_id(),
        client,
        first.method,
        first.path,
        operation=first.operation,
        repository=first.repository,
        reference=first.reference,
        digest=first.digest,
        principal=first.principal,
        status=first.status,
        sent=first.sent,
    )
