"""Response heads as bytes."""

import http
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from registry.http.request_head import Fields

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def _line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")


STATUS_LINES = {status: _line(status) for status in range(100, 600)}


def field_lines(fields: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Each field as a line.

    Raises:
        ValueError: a name or value could be read as more than one line.
    """
    items = list(fields)
    # One search through all values, joined by tabs, which values may contain.
    if _UNSAFE.search(b"\t".join([value for _, value in items])) is not None:
        raise _unsafe(next(name for name, value in items if _UNSAFE.search(value)))
    return [b"%b%b\r\n" % (_label(name), value) for name, value in items]


@lru_cache(maxsize=256)
def _label(name: bytes) -> bytes:
    """The name with its colon; cached, because the application uses few names."""
    if _NAME.fullmatch(name) is None:
        raise _unsafe(name)
    return b"%b: " % name.lower()


def _unsafe(name: bytes) -> ValueError:
    return ValueError(f"The response header {name[:64]!r} holds bytes that no header may hold.")


def whole(status: int, fields: Fields, body: bytes, common: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A complete response that ends the connection."""
    framed = [*common, *fields, (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    return b"".join([STATUS_LINES[status], *field_lines(framed), b"\r\n", body])


def read_framing(fields: Fields) -> tuple[int | None, bool]:
    """The framing in a response's head: its Content-Length, if any, and whether the connection closes."""
    length, closes = None, False
    for name, value in fields:
        word = name.lower()
        if word == b"content-length" and length is None:
            length = int(value)
        elif word == b"connection":
            closes = closes or b"close" in [token.strip().lower() for token in value.split(b",")]
    return length, closes
