"""Answers that the server gives by itself; the connection ends with each of them."""

from collections.abc import Callable

from registry.http.chunked import ChunkRefused
from registry.http.deadlines import Late, Patience
from registry.http.request_head import Fields, HeadRefused
from registry.http.response_head import whole

RETRY_SECONDS = 1
_UNAVAILABLE = 503

Wording = Callable[[int, str], tuple[Fields, bytes]]
"""Makes fields and body of a status and a message."""


def plain_text(_status: int, message: str) -> tuple[Fields, bytes]:
    """The message as it is."""
    return [(b"content-type", b"text/plain; charset=utf-8")], f"{message}\n".encode()


def answer_to(refusal: HeadRefused, common: Fields, wording: Wording) -> bytes:
    """The response that says why no request is served any more on a connection."""
    fields, body = wording(refusal.status, str(refusal))
    retry = [(b"retry-after", b"%d" % RETRY_SECONDS)] if refusal.status == _UNAVAILABLE else []
    return whole(refusal.status, [*fields, *retry], body, common)


def no_seat(why: str) -> HeadRefused:
    """A connection too many."""
    return HeadRefused(_UNAVAILABLE, why)


def late_head(patience: Patience) -> HeadRefused:
    """A head that takes too long."""
    return HeadRefused(408, f"the head of the request did not come whole within {patience.head_seconds:g} s")


def late_body(late: Late, patience: Patience) -> HeadRefused:
    """A body that stands still, or hardly moves."""
    if late is Late.RATE:
        slow = f"fewer than {patience.body_rate} bytes a second of the body came over {patience.body_seconds:g} s"
        return HeadRefused(408, f"{slow}: send it again over a better line")
    return HeadRefused(408, f"no byte of the body came for {patience.stall_seconds:g} s: send it again")


def broken_body(refusal: ChunkRefused) -> HeadRefused:
    """A body behind which nothing can be trusted."""
    return HeadRefused(400, f"{refusal}: the connection ends here")


def taken_over(why: str) -> HeadRefused:
    """A body that the application does not wait for any more."""
    return HeadRefused(409, why)
