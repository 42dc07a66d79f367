"""The response cache: reads of small content that has not changed are answered without the application.

The rows of the route table say which operations are cached, and which request headers they vary by. A response is
cached as the application gave it. It is valid until its sources may have changed: a row was written
(`metadata.generation`), a decision of the gate may no longer hold (`gate.generation`), or settings were reloaded. The
principal is established for every request (`Access.recall`), and gets only responses that it got before. In any doubt
the application answers. Where other nodes write rows, that is told too late for what a name stands for: then only what
is named by its digest is given again at once. What is named by a tag is given again when the database has said that the
tag still stands for it; a list, when it has said that nothing was committed since before the list was read.

Clients often repeat a request byte for byte. Then the head is not parsed, and the principal is established again only
a tenth of a second after the last time, or at once when a row was written.
"""

import math
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from registry.api.middleware import RequestMiddleware
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.http.context import Cached, Generation
from registry.http.request_cycle import RequestResponseCycle
from registry.http.request_head import Fields, Head
from registry.http.response_head import STATUS_LINES, field_lines
from registry.http.sendfile import Window
from registry.http.unconfirmed import Confirm
from registry.metadata.tag_lookups import Tagged
from registry.oci.names import Tag
from registry.server.cached_file import CachedFileResponse
from registry.server.cached_response import Answer, FileAnswer, SeenAt, TaggedAs, anew, file_head, file_size
from registry.telemetry.request_record import RequestRecord, request_record_of

_COMMON = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"authorization",
        b"connection",
        b"content-length",
        b"host",
        b"user-agent",
    }
)
"""Headers that most clients send; an answer varies by one if its row says so. Any other leads to the application."""

_RANGE = b"range"
"""One of these may ask for a part of a file."""
_PART = re.compile(rb"\r\n[Rr]ange: (bytes=[0-9]{0,19}-[0-9]{0,19})(?=\r\n|\Z)")

_ESTABLISHED_SECONDS = 0.1
"""How long it is believed who asks, while nothing is written: as long as it takes to see that another process wrote."""
_RESPONSE_SECONDS = 60.0
"""How long it may be told of a file that it is there, before the application tells so again."""
_SAME = 4096
"""Heads known byte by byte, and the longest of them."""
_ROOM = 1024
"""Bytes that an answer is counted for beside its body and its target: its head."""
_METHODS = frozenset({"GET", "HEAD"})
_Versions = tuple[int, int, object]
_NEEDS = frozenset({Requirement.SIGNED_IN, Requirement.CATALOG, Requirement.PULL})
"""What may be asked of a caller without waiting."""


@dataclass(slots=True)
class _Known:
    """A request head that was answered before.

    Attributes:
        head: the parsed head.
        place: the record of the request that was answered first.
        principal: the caller.
        until: when the principal must be established again (time.monotonic).
        answer: the cached response.
    """

    head: Head
    place: RequestRecord
    principal: Principal
    until: float
    answer: Answer | FileAnswer


class _Kept:
    """A row of the route table whose responses are cached."""

    __slots__ = ("ignored", "needs")

    def __init__(self, row: Row) -> None:
        if row.needs not in _NEEDS:
            raise ValueError(f"answers of {row.operation} cannot be remembered: who may have them is not known at once")
        self.needs = row.needs
        self.ignored = _COMMON - {name.encode("ascii") for name in row.varies_by or ()}


class ResponseCache:
    """Implements `registry.http.context.Cache`.

    Args:
        services: of the registry that is served.
        table: the whole route table.
        edge: gets the record of every response; says when the server is too busy.
        maximum: bytes of cached responses; above it the cache is cleared.

    Raises:
        ValueError: a row is cached, but its requirement cannot be checked without waiting.
    """

    def __init__(self, services: Services, table: Iterable[Row], edge: RequestMiddleware, maximum: int) -> None:
        self._services = services
        self._rows = {
            (method, row.operation): _Kept(row)
            for row in table
            if row.varies_by is not None
            for method in _methods(row)
        }
        self._edge = edge
        self._maximum = maximum
        self._bytes = 0
        self._at: _Versions = (-1, -1, None)
        self._places: dict[tuple[str, bytes], RequestRecord] = {}
        self._answers: dict[tuple[str, bytes, Principal], Answer | FileAnswer] = {}
        self._entries: dict[bytes, _Known] = {}
        self._common: Fields = []
        self._starts: dict[int, bytes] = {}

    def find_raw(self, raw: bytes, client: str, common: Fields) -> Cached | None:
        """The cached response for a request head that was seen before byte for byte, or `None`."""
        began = time.perf_counter()
        entry, part = self._entries.get(raw), None
        if entry is None:
            raw, part = _apart(raw)
            entry = None if part is None else self._entries.get(raw)
        if entry is None or self._edge.busy or self._now() != self._at:
            return None
        now = time.monotonic()
        if now >= entry.until:
            if self._principal(entry.head, entry.place) != entry.principal:
                del self._entries[raw]
                return None
            entry.until = now + _ESTABLISHED_SECONDS
        return self._give(entry.answer, raw, part, client, common, began)

    def find(self, raw: bytes, head: Head, client: str, common: Fields) -> Cached | None:
        """The cached response, if it is certainly valid; logs, metrics and audit get its record.

        The record of a file is reported once the file was sent.
        """
        began = time.perf_counter()
        place = self._places.get((head.method, head.target))
        if place is None or self._edge.busy or self._now() != self._at:
            return None
        if not _plain(head, self._rows[head.method, place.operation].ignored):
            return None
        principal = self._principal(head, place)
        answer = None if principal is None else self._answers.get((head.method, head.target, principal))
        if answer is None or principal is None:
            return None
        (raw, part), asked = _apart(raw), _range(head)
        if part == asked and len(raw) <= _SAME:
            if len(self._entries) >= _SAME:
                self._entries.clear()
            self._entries[raw] = _Known(head, place, principal, time.monotonic() + _ESTABLISHED_SECONDS, answer)
        return self._give(answer, raw, asked, client, common, began)

    def _give(  # noqa: PLR0913, PLR0917
        self, answer: Answer | FileAnswer, raw: bytes, part: str | None, client: str, common: Fields, began: float
    ) -> Cached | None:
        if isinstance(answer, FileAnswer):
            return self._parcel(answer, part, client, common, began)
        if part is not None or not answer.holds():
            return None
        if answer.confirmed is not None:
            return self._once_confirmed(answer.confirmed, raw, partial(self._whole, answer, client, common, began))
        return self._whole(answer, client, common, began)

    def _once_confirmed(self, confirmed: TaggedAs | SeenAt, raw: bytes, whole: Callable[[], bytes]) -> Confirm | None:
        lookups, at = self._services.stores.metadata.tag_lookups(), self._at
        if lookups is None:
            return None

        def confirm(give: Callable[[bytes | None], None]) -> None:
            def found(what: Tagged | Exception) -> None:
                self._edge.running -= 1
                holds = confirmed.is_still(what) and self._now() == at  # a caller may have been shut out meanwhile
                if not holds:
                    self._entries.pop(raw, None)
                give(whole() if holds else None)

            self._edge.running += 1
            lookups.ask(*confirmed.key, found)

        return confirm

    def _whole(self, answer: Answer, client: str, common: Fields, began: float) -> bytes:
        request_record = anew(answer.request_record, client)
        request_record.seconds = time.perf_counter() - began
        self._edge.report(request_record)
        lines = request_record.request_id.encode("ascii").join(answer.pieces)
        return b"".join([self._start(200, common), lines, b"\r\n", answer.body])

    def _parcel(
        self, answer: FileAnswer, part: str | None, client: str, common: Fields, began: float
    ) -> CachedFileResponse | None:
        chosen = answer.part(part)
        if chosen is None:
            return None
        status, window, head, content_range = chosen
        if answer.blob is not None:
            answer.blob.used()
        request_record = anew(answer.request_record, client)
        request_record.status = status
        number = request_record.request_id.encode("ascii")
        lines = head % {b"id": number, b"length": window.count, b"range": content_range}
        return CachedFileResponse(
            self._edge, request_record, began, b"".join([self._start(status, common), lines, b"\r\n"]), window
        )

    def _start(self, status: int, common: Fields) -> bytes:
        """The first lines of a head."""
        if common is not self._common:
            lines = b"".join(field_lines(common))
            self._common, self._starts = common, {each: STATUS_LINES[each] + lines for each in (200, 206)}
        return self._starts[status]

    def generation(self, head: Head) -> Generation | None:
        """The generation before the application runs; `None` when the response will not be cached."""
        if head.method not in _METHODS or not _plain(head, _COMMON):
            return None
        now, lookups = self._now(), self._services.stores.metadata.tag_lookups()
        return None if now is None else (*now, None if lookups is None else lookups.snapshot)

    def store(self, generation: Generation, cycle: RequestResponseCycle, fields: Fields, body: bytes | Window) -> None:
        """Cache a 200 that the application gave in one piece, or the head for a file."""
        request_record, head = request_record_of(cycle.scope), cycle.head
        versions, snapshot = generation[:3], generation[3]
        if (
            request_record is None
            or not cycle.keeps
            or request_record.error is not None
            or not self._keeps(head, request_record)
        ):
            return
        principal = self._principal(head, request_record)
        if principal is None or principal != request_record.principal:
            return
        answer = (
            _file_answer(request_record, fields, body)
            if isinstance(body, Window)
            else replace(
                _answer(request_record, fields, body, self._fresh(head, request_record)),
                confirmed=self._confirmed(head, request_record, fields, snapshot),
            )
        )
        if isinstance(answer, Answer) and _range(head) is not None:
            return
        size = len(head.target) + _ROOM + (0 if isinstance(body, Window) else len(body))
        if versions != self._at or self._bytes + size > self._maximum:
            self._forget(versions)
        if versions != self._now() or size > self._maximum:
            return
        key = head.method, head.target, principal
        before = self._answers.get(key)
        if before is None:
            self._bytes += size
        if isinstance(before, FileAnswer) and isinstance(answer, FileAnswer) and before.stamp == answer.stamp:
            before.heads.update(answer.heads)
            return
        if isinstance(before, FileAnswer):  # its file has gone: a head would lead to it for ever
            self._entries = {raw: known for raw, known in self._entries.items() if known.answer is not before}
        self._places[head.method, head.target] = answer.request_record
        self._answers[key] = answer

    def _forget(self, generation: _Versions) -> None:
        self._places.clear()
        self._answers.clear()
        self._entries.clear()
        self._bytes = 0
        self._at = generation

    def _now(self) -> _Versions | None:
        """The current generations; `None` when they cannot be read: the application then reports the error."""
        stores = self._services.stores
        try:
            rows = stores.metadata.generation() + stores.storage.quarantine.generation()
            return rows, self._services.gate.generation(), stores.settings.current
        except Exception:  # noqa: BLE001 - whatever it is, the application meets it again and answers for it
            return None

    def _principal(self, head: Head, place: RequestRecord) -> Principal | None:
        values = [value for name, value in head.fields if name == b"authorization"]
        if len(values) > 1:
            return None
        authorization = values[0].decode("latin-1") if values else None
        access, needs = self._services.access, self._rows[head.method, place.operation].needs
        if needs is Requirement.CATALOG:
            return access.recall_lister(authorization)
        if needs is Requirement.SIGNED_IN or place.repository is None:
            return access.recall_caller(authorization)
        return access.recall(authorization, place.repository, Action.PULL)

    def _keeps(self, head: Head, request_record: RequestRecord) -> bool:
        row = self._rows.get((head.method, request_record.operation))
        if row is None or (request_record.repository is None) is (row.needs is Requirement.PULL):
            return False
        return _plain(head, row.ignored)

    def _confirmed(
        self, head: Head, request_record: RequestRecord, fields: Fields, snapshot: object
    ) -> TaggedAs | SeenAt | None:
        """What the database has to say before the answer is given again."""
        name = request_record.repository
        if _is_by_digest(head, request_record) or self._services.stores.metadata.tag_lookups() is None:
            return None
        if name is None or request_record.operation != "manifests.pull":
            return SeenAt(snapshot if isinstance(snapshot, bytes) else b"")
        media_type = next((value for key, value in fields if key.lower() == b"content-type"), b"").decode("latin-1")
        return TaggedAs((name, Tag(request_record.reference)), request_record.digest, media_type)

    def _fresh(self, head: Head, request_record: RequestRecord) -> float:
        """For how many seconds the answer may be given again while nothing is written."""
        name = request_record.repository
        if name is None or _is_by_digest(head, request_record):
            return math.inf
        return self._services.pull_through.fresh_seconds(name)


def _is_by_digest(head: Head, request_record: RequestRecord) -> bool:
    """What is named by a digest is the same for ever; what refers to it is not."""
    operation = request_record.operation
    return operation == "blobs.pull" or (operation == "manifests.pull" and b":" in head.target.partition(b"?")[0])


def _answer(request_record: RequestRecord, fields: Fields, body: bytes, fresh: float) -> Answer:
    record = anew(request_record, "")
    record.status, record.sent = 200, 0 if request_record.method == "HEAD" else len(body)
    pieces = b"".join(field_lines(fields)).split(request_record.request_id.encode("ascii"))
    until = time.monotonic() + (fresh if request_record.blob is None else min(fresh, _RESPONSE_SECONDS))
    return Answer(record, pieces, b"" if request_record.method == "HEAD" else body, request_record.blob, until)


def _file_answer(request_record: RequestRecord, fields: Fields, window: Window) -> FileAnswer:
    head = file_head(fields, request_record.request_id)
    blob, status = request_record.blob, request_record.status
    return FileAnswer(anew(request_record, ""), window.path, file_size(window, fields), blob, {status: head})


def _apart(raw: bytes) -> tuple[bytes, str | None]:
    """A head without its line `Range: bytes=…`, and the line's value; the rest is a complete head."""
    match = _PART.search(raw)
    return (raw, None) if match is None else (raw[: match.start()] + raw[match.end() :], match[1].decode("ascii"))


def _range(head: Head) -> str | None:
    """The value of the only `Range` field, if any."""
    return next((value.decode("latin-1") for name, value in head.fields if name == _RANGE), None)


def _plain(head: Head, ignored: frozenset[bytes]) -> bool:
    if head.length != 0 or not head.keeps or head.version != "1.1":
        return False
    others = [name for name, _ in head.fields if name not in ignored]
    return not others or (others == [_RANGE] and head.method == "GET")


def _methods(row: Row) -> frozenset[str]:
    return _METHODS & set(row.methods.split())
