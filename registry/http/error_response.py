"""Error responses of the server itself; each ends the connection."""

from collections.abc import Callable

from registry.http.chunked import ChunkRefused
from registry.http.deadlines import Late, Patience
from registry.http.request_head import Fields, HeadRefused
from registry.http.response_head import whole

RETRY_SECONDS = 1
_UNAVAILABLE = 503

Wording = Callable[[int, str], tuple[Fields, bytes]]
"""Makes header fields and body from a status and a message."""


def plain_text(_status: int, message: str) -> tuple[Fields, bytes]:
    """The message as plain text."""
    return [(b"content-type", b"text/plain; charset=utf-8")], f"{message}\n".encode()


def answer_to(refusal: HeadRefused, common: Fields, wording: Wording) -> bytes:
    """The response that refuses further requests on a connection."""
    fields, body = wording(refusal.status, str(refusal))
    retry = [(b"retry-after", b"%d" % RETRY_SECONDS)] if refusal.status == _UNAVAILABLE else []
    return whole(refusal.status, [*fields, *retry], body, common)


def too_many_connections(why: str) -> HeadRefused:
    """Refusal of a connection over a limit."""
    return HeadRefused(_UNAVAILABLE, why)


def late_head(patience: Patience) -> HeadRefused:
    """Refusal of a head that takes too long."""
    return HeadRefused(408, f"the head of the request did not come whole within {patience.head_seconds:g} s")


def late_body(late: Late, patience: Patience) -> HeadRefused:
    """Refusal of a body that stalls or is too slow."""
    if late is Late.RATE:
        slow = f"fewer than {patience.body_rate} bytes a second of the body came over {patience.body_seconds:g} s"
        return HeadRefused(408, f"{slow}: send it again over a better line")
    return HeadRefused(408, f"no byte of the body came for {patience.stall_seconds:g} s: send it again")


def broken_body(refusal: ChunkRefused) -> HeadRefused:
    """Refusal of a body with broken framing."""
    return HeadRefused(400, f"{refusal}: the connection ends here")


def taken_over(why: str) -> HeadRefused:
    """Refusal of a body that the application no longer waits for."""
    return HeadRefused(409, why)
