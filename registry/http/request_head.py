"""Request heads (RFC 9112 sections 2 to 6), parsed strictly: anything ambiguous is refused.

A bare CR or LF, a folded line, white space before a colon, two lengths, or a length beside a transfer coding ends the
connection, because a proxy in front may have seen another request in the same bytes.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

_LINE = re.compile(rb"([A-Z][A-Z-]{0,31}) ([!-\"$-~]+) HTTP/1\.([01])")
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELDS = re.compile(rb"(?:\r\n" + _TOKEN + rb":[\t -~\x80-\xff]*)*")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
_HOST = re.compile(rb"(?:[0-9A-Za-z._~-]+|\[[0-9A-Fa-f:.]+(?:%25[0-9A-Za-z._~-]+)?\])(?::([0-9]{0,5}))?")
_PORT_MAXIMUM = 65_535
_LENGTH = re.compile(rb"[0-9]{1,18}")

Fields = list[tuple[bytes, bytes]]


class HeadRefused(Exception):
    """A head is refused; the connection ends after the answer.

    Args:
        status: 400, 408, 409, 431, 501, 503 or 505.
        message: says what is wrong and what is needed.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """One request's head.

    Attributes:
        method: as sent.
        target: path and query as sent, in origin form.
        version: "1.0" or "1.1".
        fields: names in lower case, values without surrounding white space, in order.
        length: bytes of the body; `None` when it comes in chunks, 0 without one.
        keeps: whether the client lets the connection be used again.
        expects: whether the client waits for 100 (Continue) before it sends the body.
    """

    method: str
    target: bytes
    version: str
    fields: Fields
    length: int | None
    keeps: bool
    expects: bool

    @property
    def raw_path(self) -> bytes:
        """The path as sent."""
        return self.target.partition(b"?")[0]

    @property
    def path(self) -> str:
        """The path with percent-encodings resolved."""
        return unquote(self.raw_path.decode("ascii"))

    @property
    def query(self) -> bytes:
        """What follows the first question mark."""
        return self.target.partition(b"?")[2]


def read_head(raw: bytes) -> Head:
    """Parse a head without its closing blank line.

    Raises:
        HeadRefused: it is malformed, ambiguous, or of an unsupported version or coding.
    """
    first, _, _ = raw.partition(b"\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise _bad_line(first)
    if _FIELDS.fullmatch(raw, len(first)) is None:
        raise HeadRefused(400, "a header line is malformed: needs `name: value`, lines ended by CR LF, none folded")
    fields = [_field(text) for text in raw[len(first) + 2 :].split(b"\r\n")] if len(raw) > len(first) else []
    method, target, minor = line.groups()
    origin, authority = _origin(target)
    fields = _with_host(fields, authority, needed=minor == b"1")
    framing = [(name, value) for name, value in fields if name in _FRAMING]
    length = _length(framing, minor)
    connection = {
        token.strip().lower() for name, value in framing if name == b"connection" for token in value.split(b",")
    }
    return Head(
        method.decode("ascii"),
        origin,
        f"1.{minor.decode('ascii')}",
        fields,
        length,
        b"close" not in connection and (minor == b"1" or b"keep-alive" in connection),
        any(name == b"expect" and value.lower() == b"100-continue" for name, value in framing) and minor == b"1",
    )


_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection", b"expect"})


def _field(text: bytes) -> tuple[bytes, bytes]:
    name, _, value = text.partition(b":")
    return name.lower(), value.strip(b" \t")


def _length(framing: Fields, minor: bytes) -> int | None:
    lengths = [value for name, value in framing if name == b"content-length"]
    codings = [value for name, value in framing if name == b"transfer-encoding"]
    if codings:
        if lengths or minor == b"0":
            raise HeadRefused(
                400, "Transfer-Encoding beside Content-Length or in HTTP/1.0: send one of the two framings"
            )
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise HeadRefused(501, "the only transfer coding understood is a single `Transfer-Encoding: chunked`")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or _LENGTH.fullmatch(lengths[0]) is None:
        raise HeadRefused(400, "Content-Length must be given once, as a plain number of bytes")
    return int(lengths[0])


def _origin(target: bytes) -> tuple[bytes, bytes | None]:
    """Path and query, and the authority of an absolute target."""
    if target.startswith(b"/"):
        return target, None
    absolute = _ABSOLUTE.match(target)
    if absolute is None:
        raise HeadRefused(400, "the request target must be a path that starts with a slash, or an http URL")
    rest = target[absolute.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest, absolute[1]


def _with_host(fields: Fields, authority: bytes | None, *, needed: bool) -> Fields:
    """The fields with a single Host (RFC 9112 section 3.2): the authority of an absolute target replaces it."""
    hosts = [value for name, value in fields if name == b"host"]
    if len(hosts) > 1 or (needed and not hosts):
        raise HeadRefused(400, f"{'no' if not hosts else len(hosts)} Host: a request has one, `Host: name:port`")
    for host in hosts if authority is None else [*hosts, authority]:
        match = _HOST.fullmatch(host)
        if match is None or int(match[1] or 0) > _PORT_MAXIMUM:
            raise HeadRefused(400, "Host is malformed: needs a name or an address, with or without a port")
    if authority is None:
        return fields
    return [(b"host", authority), *(field for field in fields if field[0] != b"host")]


def _bad_line(first: bytes) -> HeadRefused:
    if re.fullmatch(rb"[A-Z]+ \S+ HTTP/[0-9](\.[0-9])?", first) and b" HTTP/1." not in first:
        return HeadRefused(505, "this server speaks HTTP/1.1")
    return HeadRefused(400, "the request line is malformed: needs `METHOD /path HTTP/1.1`")
