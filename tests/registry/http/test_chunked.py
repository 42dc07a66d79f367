"""The chunked coding: what it means wherever it is cut, and what is refused."""

import sys

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.http.chunked import ChunkedDecoder, ChunkRefused

WHOLE = b"3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\nTrailer: a\r\n\r\n"
CONTENT = b"abc0123456789"

REFUSED = {
    "no size": b"\r\nabc",
    "not hexadecimal": b"g\r\n",
    "signed": b"+3\r\nabc\r\n",
    "prefixed": b"0x3\r\nabc\r\n",
    "size past every file": b"1" * 16 + b"\r\n",
    "white space before the size": b" 3\r\nabc\r\n",
    "white space behind the size": b"3 \r\nabc\r\n",
    "bare LF behind the size": b"3\nabc\r\n0\r\n\r\n",
    "bare LF behind the data": b"3\r\nabc\n0\r\n\r\n",
    "bare CR in an extension": b"3;a\rb\r\nabc\r\n",
    "data past the size": b"3\r\nabcd\r\n0\r\n\r\n",
    "endless extension": b"3;" + b"a" * 5000,
    "trailer without a name": b"0\r\n: a\r\n\r\n",
    "endless trailers": b"0\r\n" + b"A: b\r\n" * 5000,
    "bare LF at the end": b"0\r\n\n",
}


def decode(*pieces: bytes) -> tuple[bytes, bytes, bool]:
    """Content, what is left behind the body, and whether the body has ended."""
    decoder, content, rest = ChunkedDecoder(), b"", b""
    for piece in pieces:
        found, behind = decoder.feed(memoryview(piece))
        content += b"".join(found)
        rest += bytes(behind)
    return content, rest, decoder.complete


@pytest.mark.parametrize("cut", range(len(WHOLE) + 1))
def test_decodes_wherever_the_stream_is_cut(cut: int) -> None:
    """Two reads give the same as one."""
    assert decode(WHOLE[:cut], WHOLE[cut:]) == (CONTENT, b"", True)


def test_decodes_byte_by_byte() -> None:
    """The slowest client is understood."""
    assert decode(*(WHOLE[at : at + 1] for at in range(len(WHOLE)))) == (CONTENT, b"", True)


def test_leaves_the_next_request_alone() -> None:
    """What follows the last chunk is not the body's."""
    assert decode(WHOLE + b"GET / HTTP/1.1") == (CONTENT, b"GET / HTTP/1.1", True)


def test_is_not_complete_before_the_last_line() -> None:
    """The empty line behind the trailers ends it, nothing earlier."""
    assert not decode(WHOLE[:-1])[2]


@pytest.mark.parametrize("stream", REFUSED.values(), ids=REFUSED.keys())
def test_refuses_a_broken_coding(stream: bytes) -> None:
    """Nothing is repaired."""
    with pytest.raises(ChunkRefused):
        decode(stream)


@pytest.mark.parametrize("stream", REFUSED.values(), ids=REFUSED.keys())
def test_refuses_a_broken_coding_byte_by_byte(stream: bytes) -> None:
    """Cutting a broken stream does not mend it."""
    with pytest.raises(ChunkRefused):
        decode(*(stream[at : at + 1] for at in range(len(stream))))


class Heard:
    """What httptools made of a body."""

    def __init__(self) -> None:
        self.content = b""
        self.complete = False

    def on_body(self, piece: bytes) -> None:
        """Called with content."""
        self.content += piece

    def on_message_complete(self) -> None:
        """Called at the end of the body."""
        self.complete = True


PIECES = [
    b"3\r\nabc\r\n",
    b"0\r\n",
    b"\r\n",
    b"A: b\r\n",
    b"0\r\n\r\n",
    b"a;b=c\r\n",
    b"0123456789\r\n",
    b"\n",
    b"00",
    b"x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_httptools_decodes_the_same_out_of_every_accepted_body(pieces: list[bytes]) -> None:
    """An independent decoder finds the same content wherever ours is content with the coding."""
    stream = b"".join(pieces)
    try:
        content, _, complete = decode(stream)
    except ChunkRefused:
        return
    if not complete:
        return
    heard = Heard()
    parser = httptools.HttpRequestParser(heard)
    parser.feed_data(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    parser.feed_data(stream[: _end(stream)])
    assert (heard.content, heard.complete) == (content, True)


def _end(stream: bytes) -> int:
    """Where the body ends in the stream."""
    _, rest, _ = decode(stream)
    return len(stream) - len(rest)


@pytest.mark.parametrize("cut", range(1, 5))
def test_what_stood_between_chunks_before_counts_only_as_a_whole(cut: int) -> None:
    """A usual separator behind half of another is not one."""
    stream = b"3\r\nabc\r\n3\r\nabc"
    with pytest.raises(ChunkRefused):
        decode(stream + b"\r\n3\r\n"[:cut], b"\r\n3\r\nabc\r\n0\r\n\r\n")


def test_many_chunks_of_one_size_and_then_others_arrive_whole() -> None:
    """The usual size is not taken for granted."""
    sizes = [5, 5, 5, 4, 5, 6, 6, 1]
    stream = b"".join(b"%x;a=b\r\n%b\r\n" % (size, b"x" * size) for size in sizes)
    assert decode(stream + b"0\r\n\r\n") == (b"x" * sum(sizes), b"", True)


@pytest.mark.parametrize("extension", [b"", b";x=y"])
def test_small_chunks_cost_few_steps(extension: bytes) -> None:
    """Each takes two calls at most, whatever the sizes: they are decoded while everybody else waits."""
    calls = 0

    def count(_frame: object, event: str, _value: object) -> None:
        nonlocal calls
        calls += event == "call"

    stream = b"".join(b"%d%b\r\n%b\r\n" % (size, extension, b"x" * size) for size in (1, 2) * 500)
    sys.setprofile(count)
    try:
        content, _, _ = decode(stream)
    finally:
        sys.setprofile(None)
    assert (len(content), calls < 2100) == (1500, True)
