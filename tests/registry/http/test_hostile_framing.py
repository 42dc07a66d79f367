"""Hostile framing against the live server: whatever is sent, nothing is served that another parser would not see."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.app import build
from registry.telemetry.request_record import RequestRecord
from tests.registry.server.both_ways import BothWays, both_ways, spoken
from tests.servers import LiveRegistry, joining, open_settings, running

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
SMUGGLED = b"GET /v2/smuggled/tags/list HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothWays]:
    """Both servers, empty."""
    with both_ways(tmp_path_factory.mktemp("both")) as started:
        yield started


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveRegistry, list[RequestRecord]]]:
    """A server on the fast path, and the record of every request it had."""
    heard: list[RequestRecord] = []
    with running(
        build(
            open_settings(tmp_path_factory.mktemp("watched")),
            extension=joining(observers=[heard.append]),
        )
    ) as live:
        yield live, heard


AMBIGUOUS = {
    "length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 0",
    "length with a sign": b"Content-Length: +5",
    "space before the colon": b"Content-Length : 5",
    "folded coding": b"Transfer-Encoding:\r\n chunked",
    "coding hidden by a bare LF": b"A: b\nTransfer-Encoding: chunked",
    "coding twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "unknown coding": b"Transfer-Encoding: x-chunked",
}


@pytest.mark.parametrize("lines", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_an_ambiguous_request_ends_the_connection(both: BothWays, lines: bytes) -> None:
    """One refusal in the OCI form, and what follows is not read as a request."""
    head = b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n\r\n"
    answer = spoken(both.fast, head + b"0\r\n\r\n" + SMUGGLED)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert b'"errors"' in answer


def test_a_head_without_end_is_refused(both: BothWays) -> None:
    """431 past the limit, however slowly it grows."""
    answer = spoken(both.fast, b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_broken_chunk_ends_the_connection(both: BothWays) -> None:
    """In a body, after its first bytes were taken."""
    head = b"POST /v2/a/blobs/uploads/?digest=sha256:%b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" % (
        b"0" * 64
    )
    answer = spoken(both.fast, head, b"3\r\nabcd\r\n0\r\n\r\n" + SMUGGLED)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 400 ")


PIECES = [
    b"GET /v2/ HTTP/1.1\r\n",
    b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\n",
    b"PUT /v2/a/manifests/x HTTP/1.1\r\n",
    b"Host: a\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"transfer-encoding : chunked\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"hello",
    b" folded\r\n",
    b"\x00",
    SMUGGLED,
]


class Seen:
    """The requests that llhttp, through httptools, sees in some bytes; those before its first complaint."""

    def __init__(self, raw: bytes) -> None:
        self.requests: list[tuple[str, str]] = []
        self._target = b""
        self._parser = httptools.HttpRequestParser(self)
        with suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._parser.feed_data(raw)

    def on_message_begin(self) -> None:
        """Called before a request."""
        self._target = b""

    def on_url(self, url: bytes) -> None:
        """Called with pieces of the target."""
        self._target += url

    def on_headers_complete(self) -> None:
        """Called behind a head."""
        self.requests.append((self._parser.get_method().decode(), self._target.decode("latin-1")))


@settings(max_examples=EXAMPLES, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=9), cut=st.integers(0, 40))
def test_serves_no_request_that_another_parser_does_not_see(
    watched: tuple[LiveRegistry, list[RequestRecord]], pieces: list[bytes], cut: int
) -> None:
    """What reaches the application is what llhttp reads out of the same bytes, up to where ours, stricter, refuses."""
    live, heard = watched
    heard.clear()
    raw = b"".join([*pieces, b"GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"])
    spoken(live, raw[:cut], raw[cut:])
    while live.app.asgi.running:
        time.sleep(0.001)
    served = [(request_record.method, request_record.path) for request_record in heard]
    assert served == Seen(raw).requests[: len(served)], raw
