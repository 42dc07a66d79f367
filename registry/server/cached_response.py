"""Cached responses: the bytes of small ones, and the heads for a file."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from registry.api.ranges import asks_for_several, read_window
from registry.http.request_head import Fields
from registry.http.response_head import field_lines
from registry.http.sendfile import Window
from registry.metadata.tag_lookups import NOTHING, Key, Tagged
from registry.oci.errors import RangeNotSatisfiable
from registry.storage.blob_store import StoredBlob
from registry.storage.file_stamp import Stamp
from registry.telemetry.request_record import RequestRecord, new_request_id


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole response.

    Attributes:
        request_record: the request record for logs, metrics and audit, without the request id and the time.
        pieces: the bytes of the head, split where the request id goes.
        body: empty for a HEAD.
        blob: the file that a HEAD describes, if any.
        until: when the application has to be asked again (time.monotonic): a HEAD resets the age of content, and
            tags of upstreams get older.
        confirmed: what the database has to say first, where it must be asked.
    """

    request_record: RequestRecord
    pieces: list[bytes]
    body: bytes
    blob: StoredBlob | None = None
    until: float = math.inf
    confirmed: "TaggedAs | SeenAt | None" = None

    def holds(self) -> bool:
        """Whether the file that it describes still exists: files can go without a change of rows."""
        return time.monotonic() < self.until and (self.blob is None or self.blob.still_there())


@dataclass(frozen=True, slots=True)
class SeenAt:
    """A snapshot of the rows from before a response was made: while it is the same, nothing was committed since."""

    snapshot: bytes
    key: Key = NOTHING

    def is_still(self, found: Tagged | Exception) -> bool:
        """Whether nothing has been committed."""
        return isinstance(found, Tagged) and found.snapshot == self.snapshot


@dataclass(frozen=True, slots=True)
class TaggedAs:
    """What a tag stood for when a response was made."""

    key: Key
    digest: str
    media_type: str

    def is_still(self, found: Tagged | Exception) -> bool:
        """Whether it stands for the same, for all that may read it."""
        return (
            isinstance(found, Tagged)
            and found.row is not None
            and found.row.digest == self.digest
            and found.row.media_type == self.media_type
            and not found.row.may_be_locked
        )


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """How a file is sent, whole and in parts.

    Attributes:
        request_record: the request record, without the request id, the status, the bytes sent and the time.
        path: of the file.
        size: of the file, in bytes.
        blob: whose file it is.
        heads: by status, 200 or 206: the head as a format for `%`, once the application has given one.
    """

    request_record: RequestRecord
    path: Path
    size: int
    blob: StoredBlob | None
    heads: dict[int, bytes]

    @property
    def stamp(self) -> Stamp | None:
        """Of the file."""
        return None if self.blob is None else self.blob.path_stamp

    def part(self, text: str | None) -> tuple[int, Window, bytes, bytes] | None:
        """The response to this `Range`: status, window, format of the head, Content-Range.

        `None` when no such head is cached, for a range that has to be refused, and for several ranges.
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
    """The size of the whole file, from the headers of a response with a window of it."""
    ranges = [value for name, value in fields if name.lower() == b"content-range"]
    return int(ranges[0].rpartition(b"/")[2]) if ranges else window.count


def file_head(fields: Fields, request_id: str) -> bytes:
    """A head as a format for `%`: fields that differ by part and request are placeholders."""
    varying = {b"content-length": b"%(length)d", b"content-range": b"%(range)b"}
    number = request_id.encode("ascii")

    def opened() -> Iterable[tuple[bytes, bytes]]:
        for name, value in fields:
            fixed = value.replace(b"%", b"%%").replace(number, b"%(id)b")
            yield name.replace(b"%", b"%%"), varying.get(name.lower(), fixed)

    return b"".join(field_lines(list(opened())))


def anew(first: RequestRecord, client: str) -> RequestRecord:
    """A copy of the record for another client, with a new request id."""
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
