"""The connection to a sink, HTTP/1.1 over one socket: kept between deliveries, and led nowhere else.

Of an answer the status alone is of interest. A client for everything took twenty times the processor time for it.
"""

import asyncio
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from registry.notifications.sink import Sink
from registry.registry_client.addresses import Reach, require_within

_STATUS = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: .*)?")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PATH = "/%:@!$&'()*+,;=~"
_HEAD_BYTES = 64 << 10
_REST_BYTES = 64 << 10
_REST_SECONDS = 1.0
"""For the body of an answer: what is longer, or comes later, is not waited for, and the connection is given up."""
_SWITCHING = 101
_WITHOUT_BODY = (204, 304)


class SinkConnection:
    """Posts to one sink, one request at a time.

    Args:
        sink: it.
        context: for TLS; `None` for an address without.
    """

    def __init__(self, sink: Sink, context: ssl.SSLContext | None) -> None:
        self._sink = sink
        self._context = context
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, fields: Mapping[str, str], body: bytes) -> int:
        """The status that a request is answered with.

        Raises:
            Unusable: the sink is at an address where it may not be; nothing was sent.
            ValueError: its address, or a header field, is none.
            OSError: there is no connection, or no answer within the time of a step.
            EOFError: the connection ended before the answer did.
        """
        request = _request(self._sink.url, fields, body)
        if self._streams is not None and await _rests(self._streams[0]):
            # The other end may give up a connection that rests just when it is used again.
            with suppress(ConnectionError, EOFError):
                return await self._exchange(*self._streams, request)
        self.close()
        self._streams = await self._opened()
        return await self._exchange(*self._streams, request)

    def close(self) -> None:
        """Give the connection up."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
        is_kept = False
        try:
            async with asyncio.timeout(self._sink.timeout):
                writer.write(request)
                await writer.drain()
            async with asyncio.timeout(self._sink.timeout):
                status, rest = await _head(reader)
            is_kept = await _is_read(reader, rest)
        finally:
            if not is_kept:
                self.close()
        return status

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self._sink.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        connected = await self._connected(str(parts.hostname), port)
        name = None if self._context is None else parts.hostname
        try:
            async with asyncio.timeout(self._sink.timeout):
                return await asyncio.open_connection(
                    sock=connected, ssl=self._context, server_hostname=name, limit=_HEAD_BYTES
                )
        except BaseException:
            connected.close()
            raise

    async def _connected(self, name: str, port: int) -> socket.socket:
        """The first of its addresses that takes a connection; each is looked at before."""
        deepest, refusal = Reach.LOOPBACK if self._sink.local else Reach.PRIVATE, OSError("it has no address")
        for each in await _addresses(name, port, self._sink.timeout):
            require_within(deepest, self._sink.host, ip_address(str(each[4][0]).partition("%")[0]))
            try:
                return await _socket_to(each, self._sink.timeout)
            except OSError as error:
                refusal = error
        raise refusal


async def _addresses(name: str, port: int, seconds: float) -> Sequence[Any]:
    async with asyncio.timeout(seconds):
        return await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)


async def _socket_to(found: Any, seconds: float) -> socket.socket:
    family, kind, protocol, _, address = found
    connected = socket.socket(family, kind, protocol)
    try:
        connected.setblocking(False)
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(connected, address)
    except BaseException:
        connected.close()
        raise
    return connected


def _request(url: str, fields: Mapping[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    host = host if host.isascii() else host.encode("idna").decode()
    lines = {"host": ("Host", host), "accept": ("Accept", "*/*")}
    lines |= {name.lower(): (name, value) for name, value in fields.items()}
    if at:
        name, _, secret = user.partition(":")
        lines["authorization"] = ("Authorization", _basic(unquote(name), unquote(secret)))
    lines["content-length"] = ("Content-Length", str(len(body)))
    path, query = quote(parts.path or "/", safe=_PATH), quote(parts.query, safe=f"{_PATH}?")
    target = f"{path}?{query}" if query else path
    head = [f"POST {target} HTTP/1.1", *(_line(name, value) for name, value in lines.values()), "", ""]
    return "\r\n".join(head).encode("ascii") + body


def _basic(name: str, secret: str) -> str:
    return f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"


def _line(name: str, value: str) -> str:
    if not _NAME.fullmatch(name) or _CONTROLS.search(value):
        raise ValueError(f"{name[:64]!r} is no header field, or its value none")
    return f"{name}: {value.strip()}"


async def _rests(reader: asyncio.StreamReader) -> bool:
    """Whether a connection has neither ended nor brought what nobody has asked for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            await reader.read(1)
            return False
    return True


async def _head(reader: asyncio.StreamReader) -> tuple[int, int]:
    """The status of an answer, and how many bytes follow: -1 where the connection cannot be used again."""
    while True:
        match = _STATUS.fullmatch((await _line_of(reader)).rstrip())
        if match is None:
            raise ConnectionError("it does not answer in HTTP")
        fields = await _fields(reader)
        status = int(match[2])
        if status >= 200 or status == _SWITCHING:  # what is below comes before the answer
            return status, _rest(status, fields, is_newest=match[1] == b"1")


async def _fields(reader: asyncio.StreamReader) -> dict[bytes, bytes]:
    found, size = dict[bytes, bytes](), 0
    while line := (await _line_of(reader)).rstrip():
        name, _, value = line.partition(b":")
        found[name.strip().lower()] = value.strip().lower()
        size += len(line)
        if size > _HEAD_BYTES:
            raise OSError("its answer has too large a head")
    return found


async def _line_of(reader: asyncio.StreamReader) -> bytes:
    line = await reader.readline()
    if not line.endswith(b"\n"):
        raise asyncio.IncompleteReadError(line, None)
    return line


def _rest(status: int, fields: Mapping[bytes, bytes], *, is_newest: bool) -> int:
    length = fields.get(b"content-length", b"")
    if not is_newest or b"close" in fields.get(b"connection", b"") or status == _SWITCHING:
        return -1
    if status in _WITHOUT_BODY:
        return 0
    is_told = length.isdigit() and len(length) < 10 and b"transfer-encoding" not in fields
    return int(length) if is_told else -1


async def _is_read(reader: asyncio.StreamReader, rest: int) -> bool:
    """Whether the rest of an answer was read, so that the connection serves for another."""
    if not 0 <= rest <= _REST_BYTES:
        return False
    with suppress(OSError, EOFError):
        async with asyncio.timeout(_REST_SECONDS):
            await reader.readexactly(rest)
            return True
    return False
