"""Answers that the server gives by itself, in the OCI form; the connection ends with each of them."""

import json

from registry.http.chunked import ChunkRefused
from registry.http.deadlines import Late, Patience
from registry.http.request_head import Fields, HeadRefused
from registry.http.response_head import whole
from registry.oci.errors import BadRequest, OciError, Unavailable, document_of

RETRY_SECONDS = 1
_UNAVAILABLE = 503


def answer_to(refusal: HeadRefused, common: Fields) -> bytes:
    """The response that says why no request is served any more on a connection."""
    kind: type[OciError] = Unavailable if refusal.status == _UNAVAILABLE else BadRequest
    body = json.dumps(document_of(kind(str(refusal)))).encode()
    fields = [
        (b"content-type", b"application/json"),
        (b"docker-distribution-api-version", b"registry/2.0"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if refusal.status == _UNAVAILABLE:
        fields.append((b"retry-after", b"%d" % RETRY_SECONDS))
    return whole(refusal.status, fields, body, common)


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
