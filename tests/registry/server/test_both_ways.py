"""The fast path and the plain one say the same, byte for byte."""

import hashlib
import os
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.open_services import image
from tests.registry.server.both_ways import BothWays, both_ways

LAYER = bytes(range(256)) * 12_000
DIGEST = f"sha256:{hashlib.sha256(LAYER).hexdigest()}"
EMPTY = f"sha256:{hashlib.sha256(b'').hexdigest()}"
MANIFEST = image((LAYER,))
NAMED = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
SMALL = bytes(range(200))
IN_SMALL = f"sha256:{hashlib.sha256(SMALL).hexdigest()}"
NUMBER = st.integers(0, len(SMALL) + 2).map(str) | st.just("")
RANGE = st.builds("bytes={}-{}".format, NUMBER, NUMBER) | st.text(alphabet="0123456789-/* bytes=,", max_size=20)
ENDS = b"Connection: close\r\n\r\n"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothWays]:
    """Both servers, each holding the same image."""
    with both_ways(tmp_path_factory.mktemp("both")) as started:
        for live in (started.fast, started.plain):
            with live.client() as client:
                for content in (LAYER, SMALL, b"{}", b""):
                    place = client.post("/v2/a/blobs/uploads/").headers["location"]
                    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
                    client.put(place, params={"digest": digest}, content=content).raise_for_status()
                client.put("/v2/a/manifests/v1", content=MANIFEST).raise_for_status()
        yield started


REQUESTS = [
    f"GET /v2/a/blobs/{DIGEST}",
    f"HEAD /v2/a/blobs/{DIGEST}",
    f"GET /v2/a/blobs/{DIGEST}\r\nRange: bytes=5-99",
    f"GET /v2/a/blobs/{DIGEST}\r\nRange: bytes=-100",
    f"GET /v2/a/blobs/{DIGEST}\r\nRange: bytes=9999999-",
    f'GET /v2/a/blobs/{DIGEST}\r\nIf-None-Match: "{DIGEST}"',
    f'GET /v2/a/blobs/{DIGEST}\r\nRange: bytes=5-9\r\nIf-Range: "{DIGEST}"',
    f"GET /v2/a/blobs/{DIGEST}\r\nrange:bytes=3000000-",
    f"GET /v2/a/blobs/{DIGEST}\r\nRange: bytes=0-1,3-4",
    f"GET /v2/a/blobs/{EMPTY}",
    f"GET /v2/a/blobs/{EMPTY}\r\nRange: bytes=0-",
    "GET /v2/a/manifests/v1\r\nRange: bytes=0-4",
    "GET /v2/",
    "HEAD /v2/",
    "GET /v2/a/manifests/v1",
    "HEAD /v2/a/manifests/v1",
    f"GET /v2/a/manifests/{NAMED}",
    "GET /v2/a/manifests/none",
    "GET /v2/a/tags/list",
    "GET /v2/a/tags/list?n=0",
    f"GET /v2/a/referrers/{NAMED}",
    "GET /v2/_catalog",
    "GET /v2/none/tags/list",
    "POST /v2/a/blobs/uploads/\r\nContent-Length: 0",
    "DELETE /v2/",
    "GET /nothing",
    "GET /v2/A/tags/list",
    "PUT /v2/a/manifests/v1\r\nContent-Length: 1\r\n\r\n{",
]


@pytest.mark.parametrize("request_line", REQUESTS)
def test_answers_are_equal(both: BothWays, request_line: str) -> None:
    """Status, headers in their order, and body."""
    first, _, rest = request_line.partition("\r\n")
    fields, _, body = rest.partition("\r\n\r\n")
    raw = (
        f"{first} HTTP/1.1\r\nHost: a\r\n{fields}{chr(13) + chr(10) if fields else ''}".encode() + ENDS + body.encode()
    )
    fast, plain = both.say(raw)
    assert fast == plain
    assert fast.startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize("request_line", REQUESTS[:22])
def test_an_answer_given_again_is_the_same(both: BothWays, request_line: str) -> None:
    """The remembered one differs in nothing but its request id and date."""
    first, _, field = request_line.partition("\r\n")
    raw = f"{first} HTTP/1.1\r\nHost: a\r\n{field}{chr(13) + chr(10) if field else ''}\r\n".encode()
    fast, plain = both.say(raw * 3 + raw.replace(b"\r\n\r\n", b"\r\n" + ENDS))
    assert fast == plain
    assert fast.count(b"HTTP/1.1 ") == 4


@settings(max_examples=EXAMPLES, deadline=None)
@given(texts=st.lists(RANGE, min_size=1, max_size=4))
def test_parts_from_memory_are_the_same(both: BothWays, texts: list[str]) -> None:
    """Whatever a `Range` holds, on a connection that is used again."""
    asked = [f"GET /v2/a/blobs/{IN_SMALL} HTTP/1.1\r\nHost: a\r\nRange: {text}\r\n\r\n".encode() for text in texts]
    fast, plain = both.say(*asked, b"GET /v2/ HTTP/1.1\r\nHost: a\r\n" + ENDS)
    assert fast == plain
    assert fast.count(b"HTTP/1.1 ") == len(texts) + 1


@pytest.mark.parametrize("cut", [1, 30, 1000])
@pytest.mark.parametrize("coding", ["length", "chunks"])
def test_uploads_are_equal(both: BothWays, coding: str, cut: int) -> None:
    """However the body is framed and wherever it is cut on its way."""
    framed = LAYER if coding == "length" else b"%x\r\n%b\r\n0\r\n\r\n" % (len(LAYER), LAYER)
    framing = f"Content-Length: {len(LAYER)}" if coding == "length" else "Transfer-Encoding: chunked"
    head = f"POST /v2/b/blobs/uploads/?digest={DIGEST} HTTP/1.1\r\nHost: a\r\n{framing}\r\n".encode() + ENDS
    fast, plain = both.say((head + framed)[: len(head) + cut], (head + framed)[len(head) + cut :])
    assert fast == plain
    assert fast.startswith(b"HTTP/1.1 201 ")


def test_requests_in_a_row_are_equal(both: BothWays) -> None:
    """Pipelined behind a body, in one write."""
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(LAYER), LAYER)
    push = (
        f"POST /v2/b/blobs/uploads/?digest={DIGEST} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    last = b"GET /v2/ HTTP/1.1\r\nHost: a\r\n"
    fast, plain = both.say(push + body + last + b"\r\n" + push + body + last + ENDS)
    assert fast == plain
    assert re.findall(rb"HTTP/1\.1 (\d{3}) ", fast) == [b"201", b"200"] * 2


def test_a_wrong_digest_is_refused_alike(both: BothWays) -> None:
    """After the whole body came."""
    head = f"POST /v2/b/blobs/uploads/?digest={NAMED} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(LAYER)}\r\n".encode()
    fast, plain = both.say(head + ENDS, LAYER)
    assert fast == plain
    assert fast.startswith(b"HTTP/1.1 400 ")
