"""Answers that may be given again without asking the application: reads of small things that have not changed since.

An answer is remembered as the application gave it, so that both ways say the same. It holds as long as nothing it was
made from can have changed: no row was written (`metadata.generation`), no earlier decision of the gate has fallen
(`gate.generation`), no setting was reloaded. Who asks is established anew for every request (`Access.recall`), and the
answer given is one that the same principal got before. Any doubt leads to the application.

Clients ask the same in the same bytes again and again: then not even the head is read, and who asks is established
anew a tenth of a second after the last time, or at once when a row was written.
"""

import time
from dataclasses import dataclass

from registry.api.edge import Edge
from registry.api.rooms import Rooms
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.exchange import Exchange, exchange_of, new_request_id
from registry.server.connection import Note
from registry.server.head import Fields, Head
from registry.server.response import STATUS_LINES, field_lines
from registry.server.turn import Turn

_HARMLESS = frozenset(
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
"""Headers that no handler of a remembered answer reads, beside `Authorization`. Any other leads to the application."""

_ESTABLISHED_SECONDS = 0.1
"""How long it is believed who asks, while nothing is written: as long as it takes to see that another process wrote."""
_SAME = 4096
"""Heads known byte by byte, and the longest of them."""
_METHODS = frozenset({"GET", "HEAD"})
_ANYBODY, _LIST = "root.check", "catalog.page"
_PULLS = frozenset({("GET", "manifests.pull"), ("HEAD", "manifests.pull"), ("HEAD", "blobs.pull")}) | {
    (method, operation) for method in _METHODS for operation in ("tags.page", "referrers.page")
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One remembered answer.

    Attributes:
        exchange: what is told to logs, metrics and audit, but for the request id and the time.
        pieces: the lines of the head between the places where the request id stands.
        body: empty for a HEAD.
    """

    exchange: Exchange
    pieces: list[bytes]
    body: bytes


@dataclass(slots=True)
class _Known:
    """A head that was answered before.

    Attributes:
        head: the head as it was read.
        place: the exchange in which it was answered first.
        principal: who asks.
        until: when that must be established anew (time.monotonic).
        answer: what was answered.
    """

    head: Head
    place: Exchange
    principal: Principal
    until: float
    answer: Answer


class Answers:
    """Implements `registry.server.connection.Memory`.

    Args:
        rooms: of the registry that is served.
        edge: told of every answer given; says when the server is too busy for any.
        maximum: bytes of remembered answers; then all are forgotten.
    """

    def __init__(self, rooms: Rooms, edge: Edge, maximum: int) -> None:
        self._rooms = rooms
        self._edge = edge
        self._maximum = maximum
        self._held = 0
        self._at: Note = (-1, -1, None)
        self._places: dict[tuple[str, bytes], Exchange] = {}
        self._answers: dict[tuple[str, bytes, Principal], Answer] = {}
        self._known: dict[bytes, _Known] = {}
        self._common: Fields = []
        self._start = b""

    def again(self, raw: bytes, client: str, common: Fields) -> bytes | None:
        """The same for a head that came before in the same bytes."""
        began = time.perf_counter()
        known = self._known.get(raw)
        if known is None or self._edge.busy or self._now() != self._at:
            return None
        now = time.monotonic()
        if now >= known.until:
            if self._principal(known.head, known.place) != known.principal:
                del self._known[raw]
                return None
            known.until = now + _ESTABLISHED_SECONDS
        return self._give(known.answer, client, common, began)

    def find(self, raw: bytes, head: Head, client: str, common: Fields) -> bytes | None:
        """The whole response, when one is remembered that certainly holds; logs, metrics and audit are told."""
        began = time.perf_counter()
        place = self._places.get((head.method, head.target))
        if place is None or not _plain(head) or self._edge.busy or self._now() != self._at:
            return None
        principal = self._principal(head, place)
        answer = None if principal is None else self._answers.get((head.method, head.target, principal))
        if answer is None or principal is None:
            return None
        if len(raw) <= _SAME:
            if len(self._known) >= _SAME:
                self._known.clear()
            self._known[raw] = _Known(head, place, principal, time.monotonic() + _ESTABLISHED_SECONDS, answer)
        return self._give(answer, client, common, began)

    def _give(self, answer: Answer, client: str, common: Fields, began: float) -> bytes:
        exchange = _again(answer.exchange, client)
        exchange.seconds = time.perf_counter() - began
        self._edge.tell(exchange)
        if common is not self._common:
            self._common, self._start = common, b"".join([STATUS_LINES[200], *field_lines(common)])
        lines = exchange.request_id.encode("ascii").join(answer.pieces)
        return b"".join([self._start, lines, b"\r\n", answer.body])

    def note(self, head: Head) -> Note | None:
        """To be taken before the application is asked; `None` when the answer will not be remembered."""
        return self._now() if head.method in _METHODS and _plain(head) else None

    def learn(self, note: Note, turn: Turn, fields: Fields, body: bytes) -> None:
        """Remember a 200 that the application gave in one piece."""
        exchange, head = exchange_of(turn.scope), turn.head
        if exchange is None or not turn.keeps or exchange.error is not None or not _kept(head.method, exchange):
            return
        principal = self._principal(head, exchange)
        if principal is None or principal != exchange.principal:
            return
        lines = b"".join(field_lines(fields))
        size = len(lines) + len(body) + len(head.target)
        if note != self._at or self._held + size > self._maximum:
            self._forget(note)
        if note != self._now() or size > self._maximum:
            return
        self._held += size
        told = _again(exchange, "")
        told.status, told.sent = 200, 0 if head.method == "HEAD" else len(body)
        pieces = lines.split(exchange.request_id.encode("ascii"))
        self._places[head.method, head.target] = told
        whole = b"" if head.method == "HEAD" else body
        self._answers[head.method, head.target, principal] = Answer(told, pieces, whole)

    def _forget(self, note: Note) -> None:
        self._places.clear()
        self._answers.clear()
        self._known.clear()
        self._held = 0
        self._at = note

    def _now(self) -> Note | None:
        """How things stand; `None` when that cannot be found out: the application will say what is wrong then."""
        stores = self._rooms.stores
        try:
            return stores.metadata.generation(), self._rooms.gate.generation(), stores.settings.current
        except Exception:  # noqa: BLE001 - whatever it is, the application meets it again and answers for it
            return None

    def _principal(self, head: Head, place: Exchange) -> Principal | None:
        found = [value for name, value in head.fields if name == b"authorization"]
        if len(found) > 1:
            return None
        authorization = found[0].decode("latin-1") if found else None
        if place.operation == _LIST:
            return self._rooms.access.recall_lister(authorization)
        if place.repository is None:
            return self._rooms.access.recall_caller(authorization)
        return self._rooms.access.recall(authorization, place.repository, Action.PULL)


def _again(first: Exchange, client: str) -> Exchange:
    """The same exchange with another client, under a new request id."""
    return Exchange(
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


def _plain(head: Head) -> bool:
    return head.length == 0 and head.keeps and head.version == "1.1" and all(n in _HARMLESS for n, _ in head.fields)


def _kept(method: str, exchange: Exchange) -> bool:
    if exchange.operation in {_ANYBODY, _LIST}:
        return exchange.repository is None
    return exchange.repository is not None and (method, exchange.operation) in _PULLS
