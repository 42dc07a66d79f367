"""Request heads: what is understood, what is refused, and that httptools understands nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.http.request_head import HeadRefused, read_head

PLAIN = b"GET /v2/?n=1 HTTP/1.1\r\nHost: a\r\nAccept:  */* \r\nAccept: b"

REFUSED = {
    "two lengths": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1", 400),
    "list of lengths": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1", 400),
    "signed length": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +1", 400),
    "hexadecimal length": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1", 400),
    "length past every file": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999", 400),
    "empty length": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length:", 400),
    "length beside chunks": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", 400),
    "chunks twice": (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501),
    "chunks in a list": (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", 501),
    "unknown coding": (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked", 501),
    "chunks in HTTP/1.0": (b"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked", 400),
    "white space before the colon": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length : 1", 400),
    "folded line": (b"PUT / HTTP/1.1\r\nHost: a\r\nA: b\r\n c", 400),
    "bare LF": (b"PUT / HTTP/1.1\r\nHost: a\r\nA: b\nContent-Length: 1", 400),
    "bare CR": (b"PUT / HTTP/1.1\r\nHost: a\r\nA: b\rContent-Length: 1", 400),
    "NUL": (b"PUT / HTTP/1.1\r\nHost: a\r\nA: b\0", 400),
    "no colon": (b"PUT / HTTP/1.1\r\nHost: a\r\nA", 400),
    "no name": (b"PUT / HTTP/1.1\r\nHost: a\r\n: a", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: a", 400),
    "small method": (b"get / HTTP/1.1\r\nHost: a", 400),
    "no target": (b"GET HTTP/1.1\r\nHost: a", 400),
    "fragment": (b"GET /a#b HTTP/1.1\r\nHost: a", 400),
    "not a path": (b"GET v2/ HTTP/1.1\r\nHost: a", 400),
    "authority": (b"CONNECT a:1 HTTP/1.1\r\nHost: a", 400),
    "other version": (b"GET / HTTP/2.0", 505),
    "no version": (b"GET /", 400),
    "no host": (b"GET / HTTP/1.1\r\nA: b", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a", 400),
    "two hosts in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b", 400),
    "empty host": (b"GET / HTTP/1.1\r\nHost:", 400),
    "host with a path": (b"GET / HTTP/1.1\r\nHost: a/b", 400),
    "host with a user": (b"GET / HTTP/1.1\r\nHost: u@a", 400),
    "list of hosts": (b"GET / HTTP/1.1\r\nHost: a, b", 400),
    "host with a port that is none": (b"GET / HTTP/1.1\r\nHost: a:x", 400),
    "host with a port too large": (b"GET / HTTP/1.1\r\nHost: a:65536", 400),
    "host with two ports": (b"GET / HTTP/1.1\r\nHost: a:1:2", 400),
    "host with half an IPv6 address": (b"GET / HTTP/1.1\r\nHost: [::1", 400),
    "IPv6 host without brackets": (b"GET / HTTP/1.1\r\nHost: ::1", 400),
    "host beyond ASCII": (b"GET / HTTP/1.1\r\nHost: \xc3\xa4", 400),
    "target with a user": (b"GET http://u@a/ HTTP/1.1\r\nHost: a", 400),
    "target without a name": (b"GET http:///v2/ HTTP/1.1\r\nHost: a", 400),
    "letters beyond ASCII": (b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a", 400),
}


@pytest.mark.parametrize(("raw", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses_what_two_readers_could_understand_differently(raw: bytes, status: int) -> None:
    """Nothing is repaired."""
    with pytest.raises(HeadRefused) as caught:
        read_head(raw)
    assert caught.value.status == status


@pytest.mark.parametrize("host", ["a", "a:5000", "a.b-c:", "127.0.0.1:1", "[::1]:5000", "[fe80::1%25eth0]", "a_b"])
def test_reads_every_kind_of_host(host: str) -> None:
    """Names and addresses, with and without a port."""
    assert read_head(f"GET / HTTP/1.1\r\nHost: {host}".encode()).fields == [(b"host", host.encode())]


def test_an_absolute_target_says_which_host_is_meant() -> None:
    """RFC 9112 section 3.2.2: the field is not looked at then."""
    head = read_head(b"GET http://b:1/v2/ HTTP/1.1\r\nHost: a\r\nAccept: c")
    assert (head.path, head.fields) == ("/v2/", [(b"host", b"b:1"), (b"accept", b"c")])


def test_an_old_client_names_no_host() -> None:
    """HTTP/1.0 knows none."""
    assert read_head(b"GET / HTTP/1.0").fields == []


def test_reads_a_plain_head() -> None:
    """Names come in lower case, values without white space around them."""
    head = read_head(PLAIN)
    assert (head.method, head.path, head.query, head.version) == ("GET", "/v2/", b"n=1", "1.1")
    assert head.fields == [(b"host", b"a"), (b"accept", b"*/*"), (b"accept", b"b")]


def test_resolves_percent_encodings_in_the_path_alone() -> None:
    """The query stays as it was sent."""
    head = read_head(b"GET /a%2Fb?c=%2F HTTP/1.1\r\nHost: a")
    assert (head.path, head.raw_path, head.query) == ("/a/b", b"/a%2Fb", b"c=%2F")


def test_serves_the_absolute_form() -> None:
    """RFC 9112 section 3.2.2 makes servers accept it."""
    assert read_head(b"GET http://a:1/b?c HTTP/1.1\r\nHost: a").target == b"/b?c"


@pytest.mark.parametrize(
    ("lines", "length"), [(b"", 0), (b"\r\nContent-Length: 12", 12), (b"\r\nTransfer-Encoding: Chunked", None)]
)
def test_knows_how_the_body_is_framed(lines: bytes, length: int | None) -> None:
    """By length, by chunks, or there is none."""
    assert read_head(b"PUT / HTTP/1.1\r\nHost: a" + lines).length == length


@pytest.mark.parametrize(
    ("raw", "keeps"),
    [
        (b"GET / HTTP/1.1\r\nHost: a", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: a, Close", False),
        (b"GET / HTTP/1.0", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive", True),
    ],
)
def test_knows_whether_the_connection_goes_on(raw: bytes, keeps: bool) -> None:
    """RFC 9112 section 9.3."""
    assert read_head(raw).keeps is keeps


def test_expects_continue_only_where_it_exists() -> None:
    """HTTP/1.0 has no 100 (Continue)."""
    assert read_head(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue").expects
    assert not read_head(b"PUT / HTTP/1.0\r\nExpect: 100-continue").expects


@dataclass
class Heard:
    """What httptools made of a head."""

    url: bytes = b""
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    complete: bool = False
    keeps: Callable[[], bool] = lambda: False
    kept: bool = False

    def on_url(self, url: bytes) -> None:
        """Called with pieces of the target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called for each header."""
        self.fields.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """Called before the body; only now it is known whether the connection goes on."""
        self.kept = self.keeps()

    def on_message_complete(self) -> None:
        """Called when there is no body to wait for."""
        self.complete = True


LINES = [
    b"Host: a",
    b"Content-Length: 3",
    b"Content-Length:0",
    b"Content-Length: 3 ",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding:\tchunked",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Expect: 100-continue",
    b"A:",
    b"A: \x80",
    b" A: b",
    b"A : b",
    b"A\x01: b",
    b"Content_Length: 5",
    b"Transfer-Encoding: identity",
]
FIRSTS = [
    b"GET / HTTP/1.1\r\nHost: a",
    b"PUT /a?b HTTP/1.1\r\nHost: a",
    b"POST /%2f HTTP/1.0",
    b"GET /\x7f HTTP/1.1\r\nHost: a",
    b"GET  / HTTP/1.1\r\nHost: a",
]
ENDS = [b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n "]


@given(st.sampled_from(FIRSTS), st.lists(st.tuples(st.sampled_from(ENDS), st.sampled_from(LINES)), max_size=6))
def test_httptools_reads_the_same_out_of_every_accepted_head(first: bytes, rest: list[tuple[bytes, bytes]]) -> None:
    """An independent parser finds the same target, headers and framing wherever ours is content."""
    raw = first + b"".join(end + line for end, line in rest)
    try:
        head = read_head(raw)
    except HeadRefused:
        return
    heard = Heard()
    parser = httptools.HttpRequestParser(heard)
    heard.keeps = parser.should_keep_alive
    parser.feed_data(raw + b"\r\n\r\n")
    assert (heard.url, heard.fields) == (head.target, head.fields)
    assert heard.complete == (head.length == 0)
    assert heard.kept == head.keeps
