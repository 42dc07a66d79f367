"""Sixty-five shapes of requests and what each is answered, the same whichever way the server works."""

import re
from collections.abc import Iterator

import pytest

from tests.registry.server.both_ways import BothWays, both_ways
from tests.registry.server.lines import lines

LAST = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PLACE = "/v2/a/manifests/v1"
PUSH = "POST /v2/a/blobs/uploads/"
# What is sent ("\n" stands for CR LF), and the statuses of all answers, with a last one where another is reached.
SHAPES: dict[str, tuple[str, str]] = {
    "plain": ("GET /v2/ HTTP/1.1\nHost: a\n\n", "200 200"),
    "HEAD": ("HEAD /v2/ HTTP/1.1\nHost: a\n\n", "200 200"),
    "small name of a field": ("GET /v2/ HTTP/1.1\nhost: a\n\n", "200 200"),
    "no white space in a field": ("GET /v2/ HTTP/1.1\nHost:a\n\n", "200 200"),
    "white space around a value": ("GET /v2/ HTTP/1.1\nHost: \t a \t\n\n", "200 200"),
    "empty field": ("GET /v2/ HTTP/1.1\nHost: a\nA:\n\n", "200 200"),
    "a field twice": ("GET /v2/ HTTP/1.1\nHost: a\nAccept: a\nAccept: b\n\n", "200 200"),
    "letters beyond ASCII in a value": ("GET /v2/ HTTP/1.1\nHost: a\nA: \xe4\n\n", "200 200"),
    "tab in a value": ("GET /v2/ HTTP/1.1\nHost: a\nA: b\tc\n\n", "200 200"),
    "empty line before": ("\nGET /v2/ HTTP/1.1\nHost: a\n\n", "200 200"),
    "many empty lines before": ("\n\n\n\nGET /v2/ HTTP/1.1\nHost: a\n\n", "200 200"),
    "host with a port": ("GET /v2/ HTTP/1.1\nHost: a:5000\n\n", "200 200"),
    "host is an IPv6 address": ("GET /v2/ HTTP/1.1\nHost: [::1]:5000\n\n", "200 200"),
    "no host": ("GET /v2/ HTTP/1.1\nA: b\n\n", "400"),
    "two hosts": ("GET /v2/ HTTP/1.1\nHost: a\nHost: b\n\n", "400"),
    "host twice": ("GET /v2/ HTTP/1.1\nHost: a\nHost: a\n\n", "400"),
    "empty host": ("GET /v2/ HTTP/1.1\nHost:\n\n", "400"),
    "host with a path": ("GET /v2/ HTTP/1.1\nHost: a/b\n\n", "400"),
    "host with white space": ("GET /v2/ HTTP/1.1\nHost: a b\n\n", "400"),
    "host with a user": ("GET /v2/ HTTP/1.1\nHost: u:p@a\n\n", "400"),
    "HTTP/1.0": ("GET /v2/ HTTP/1.0\n\n", "200"),
    "HTTP/1.0 with a host": ("GET /v2/ HTTP/1.0\nHost: a\n\n", "200"),
    "HTTP/1.0 that goes on": ("GET /v2/ HTTP/1.0\nConnection: keep-alive\n\n", "200 200"),
    "HTTP/1.0 with two hosts": ("GET /v2/ HTTP/1.0\nHost: a\nHost: b\n\n", "400"),
    "HTTP/2.0": ("GET /v2/ HTTP/2.0\nHost: a\n\n", "505"),
    "HTTP/1.2": ("GET /v2/ HTTP/1.2\nHost: a\n\n", "400"),
    "no version": ("GET /v2/\nHost: a\n\n", "400"),
    "small version": ("GET /v2/ http/1.1\nHost: a\n\n", "400"),
    "two spaces": ("GET  /v2/ HTTP/1.1\nHost: a\n\n", "400"),
    "tab for a space": ("GET\t/v2/ HTTP/1.1\nHost: a\n\n", "400"),
    "space behind": ("GET /v2/ HTTP/1.1 \nHost: a\n\n", "400"),
    "small method": ("get /v2/ HTTP/1.1\nHost: a\n\n", "400"),
    "unknown method": ("BREW /v2/ HTTP/1.1\nHost: a\n\n", "405 200"),
    "method with a dash": ("M-SEARCH /v2/ HTTP/1.1\nHost: a\n\n", "405 200"),
    "PATCH where there is none": ("PATCH /v2/ HTTP/1.1\nHost: a\n\n", "405 200"),
    "OPTIONS of everything": ("OPTIONS * HTTP/1.1\nHost: a\n\n", "400"),
    "CONNECT": ("CONNECT a:1 HTTP/1.1\nHost: a\n\n", "400"),
    "absolute target": ("GET http://b/v2/ HTTP/1.1\nHost: a\n\n", "200 200"),
    "absolute target without a path": ("GET http://b HTTP/1.1\nHost: a\n\n", "404 200"),
    "absolute target of another scheme": ("GET ftp://b/v2/ HTTP/1.1\nHost: a\n\n", "400"),
    "target without a slash": ("GET v2/ HTTP/1.1\nHost: a\n\n", "400"),
    "target with a fragment": ("GET /v2/#a HTTP/1.1\nHost: a\n\n", "400"),
    "target beyond ASCII": ("GET /v2/\xe4 HTTP/1.1\nHost: a\n\n", "400"),
    "percent-encoded target": ("GET /v2/%61/tags/list HTTP/1.1\nHost: a\n\n", "404 200"),
    "broken percent-encoding": ("GET /v2/%zz HTTP/1.1\nHost: a\n\n", "404 200"),
    "query": ("GET /v2/?a=b&&c HTTP/1.1\nHost: a\n\n", "200 200"),
    "folded field": ("GET /v2/ HTTP/1.1\nHost: a\nA: b\n c\n\n", "400"),
    "white space before the colon": ("GET /v2/ HTTP/1.1\nHost: a\nA : b\n\n", "400"),
    "white space before the first field": ("GET /v2/ HTTP/1.1\n Host: a\n\n", "400"),
    "no colon": ("GET /v2/ HTTP/1.1\nHost: a\nA\n\n", "400"),
    "no name": ("GET /v2/ HTTP/1.1\nHost: a\n: b\n\n", "400"),
    "NUL": ("GET /v2/ HTTP/1.1\nHost: a\nA: \0\n\n", "400"),
    "bare CR": ("GET /v2/ HTTP/1.1\nHost: a\nA: b\rc\n\n", "400"),
    "GET with a body": ("GET /v2/ HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc", "200 200"),
    "length of nothing": (f"{PUSH} HTTP/1.1\nHost: a\nContent-Length: 0\n\n", "202 200"),
    "no length": (f"{PUSH} HTTP/1.1\nHost: a\n\n", "202 200"),
    "chunks": (f"{PUSH} HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n", "202"),
    "chunks in capitals": (f"{PUSH} HTTP/1.1\nHost: a\nTransfer-Encoding: CHUNKED\n\n0\n\n", "202"),
    "signed length": (f"{PUSH} HTTP/1.1\nHost: a\nContent-Length: +3\n\nabc", "400"),
    "two lengths": (f"{PUSH} HTTP/1.1\nHost: a\nContent-Length: 3\nContent-Length: 3\n\nabc", "400"),
    "length and chunks": (f"{PUSH} HTTP/1.1\nHost: a\nContent-Length: 3\nTransfer-Encoding: chunked\n\n0\n\n", "400"),
    "unknown coding": (f"{PUSH} HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n0\n\n", "501"),
    "chunks in HTTP/1.0": (f"{PUSH} HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n", "400"),
    "expects 100": (
        "PUT /v2/a/manifests/v1 HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 1\n\n{",
        "100 400 200",
    ),
    "unknown expectation": ("GET /v2/ HTTP/1.1\nHost: a\nExpect: the unexpected\n\n", "200 200"),
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothWays]:
    """Both servers."""
    with both_ways(tmp_path_factory.mktemp("both")) as started:
        yield started


def raw_of(shape: str) -> bytes:
    """The bytes of a shape, and a last request behind them."""
    return shape.replace("\r", "\x01").replace("\n", "\r\n").replace("\x01", "\r").encode("latin-1") + LAST.encode()


def test_there_are_sixty_five() -> None:
    """None was lost."""
    assert len(SHAPES) == 65


@pytest.mark.parametrize(("shape", "statuses"), SHAPES.values(), ids=SHAPES.keys())
def test_both_ways_answer_alike(both: BothWays, shape: str, statuses: str) -> None:
    """Byte for byte, and with these statuses."""
    fast, plain = both.say(raw_of(shape))
    assert fast == plain
    assert re.findall(rb"HTTP/1\.1 (\d{3}) ", fast) == statuses.encode().split()


@pytest.mark.parametrize("way", ["fast-TLS", "plain-TLS"])
def test_tls_changes_no_status(tmp_path_factory: pytest.TempPathFactory, way: str) -> None:
    """Of any refusal."""
    refused = {name: shape for name, (shape, statuses) in SHAPES.items() if statuses in {"400", "501", "505"}}
    with lines(tmp_path_factory.mktemp(way), way) as server:
        for name, shape in refused.items():
            with server.line() as line:
                line.sendall(raw_of(shape))
                assert line.recv(12)[9:].decode() == SHAPES[name][1], name
