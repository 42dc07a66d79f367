"""Response heads as bytes."""

import http
import re
from collections.abc import Iterable, Sequence

from registry.server.head import Fields

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
    lines = []
    for name, value in fields:
        if _NAME.fullmatch(name) is None or _UNSAFE.search(value) is not None:
            raise ValueError(f"The response header {name[:64]!r} holds bytes that no header may hold.")
        lines.append(b"%b: %b\r\n" % (name.lower(), value))
    return lines


def whole(status: int, fields: Fields, body: bytes, common: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A complete response that ends the connection."""
    framed = [*common, *fields, (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    return b"".join([STATUS_LINES[status], *field_lines(framed), b"\r\n", body])


def announced_length(fields: Fields) -> int | None:
    """The body length a response's head promises; `None` when it has none."""
    return next((int(value) for name, value in fields if name.lower() == b"content-length"), None)


def closes(fields: Fields) -> bool:
    """Whether the application ends the connection with this response."""
    tokens = (value for name, value in fields if name.lower() == b"connection")
    return any(b"close" in [token.strip().lower() for token in value.split(b",")] for value in tokens)
