"""Byte ranges of reads and chunks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from registry.api.ranges import Chunk, Window, chunk_of, read_window
from registry.oci.errors import BlobUploadInvalid, OciError, RangeNotSatisfiable, SizeInvalid


def _request(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "PATCH", "path": "/", "headers": pairs})


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-5", 2, 4),
        ("bytes=7-", 7, 3),
        ("bytes=-4", 6, 4),
        ("bytes=-40", 0, 10),
        ("bytes=5-5000", 5, 5),
        ("Bytes = 1-2", 1, 2),
    ],
)
def test_one_range_is_served(text: str, start: int, length: int) -> None:
    """First-last, open-ended and suffix ranges, clipped to the ten bytes there are."""
    assert read_window(text, 10) == Window(start, length, 10)


@pytest.mark.parametrize(
    "text", ["bytes=0-1,3-4", "items=0-1", "bytes=-", "bytes=a-b", "bytes", "bytes=1-2;x", "bytes=٣-"]
)
def test_what_cannot_be_read_is_served_whole(text: str) -> None:
    """Several ranges, other units and garbage are no reason to refuse a read."""
    assert read_window(text, 10) is None


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=5000-10000", "bytes=5-2", "bytes=500-0", "bytes=-0"])
def test_what_lies_outside_is_refused(text: str) -> None:
    """416, with the size of the content in Content-Range."""
    with pytest.raises(RangeNotSatisfiable) as caught:
        read_window(text, 10)
    assert caught.value.headers["Content-Range"] == "bytes */10"


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_range_is_a_slice(total: int, first: int, last: int) -> None:
    """Whatever is served equals the slice that the numbers mean."""
    content = bytes(range(total))
    try:
        window = read_window(f"bytes={first}-{last}", total)
    except RangeNotSatisfiable:
        assert content[first : last + 1] == b""
        return
    assert window is not None
    assert content[window.start : window.start + window.length] == content[first : last + 1]


def test_content_range_of_a_part() -> None:
    """Inclusive bounds and the total."""
    assert Window(2, 4, 10).content_range == "bytes 2-5/10"


@pytest.mark.parametrize("text", ["0-4", "bytes 0-4/5", "0-4/*"])
def test_chunk_says_where_it_starts(text: str) -> None:
    """The specification's form, and that of RFC 9110 which some clients send."""
    assert chunk_of(_request(content_range=text, content_length="5")) == Chunk(0, 5)


def test_chunk_in_chunked_encoding_has_the_length_of_its_range() -> None:
    """Without Content-Length the range alone says how long the body is."""
    assert chunk_of(_request(content_range="5-9")) == Chunk(5, 5)


def test_stream_without_range_starts_anywhere() -> None:
    """Docker streams without Content-Range and without Content-Length."""
    assert chunk_of(_request()) == Chunk(None, None)


@pytest.mark.parametrize("text", ["", "5", "5-", "-5", "9-5", "a-b", "0-4-5", "0 - 4", "0-4\n1"])
def test_malformed_content_range_is_refused(text: str) -> None:
    """400, before a byte is stored."""
    with pytest.raises(BlobUploadInvalid):
        chunk_of(_request(content_range=text))


def test_range_and_length_that_disagree_are_refused() -> None:
    """400 SIZE_INVALID."""
    with pytest.raises(SizeInvalid):
        chunk_of(_request(content_range="0-4", content_length="6"))


@given(st.text(alphabet="0123456789-/* bytes=,", max_size=30))
def test_no_text_breaks_the_readers(text: str) -> None:
    """Whatever a header holds, the answer is a value or an OCI error."""
    for read in (lambda: read_window(text, 10), lambda: chunk_of(_request(content_range=text))):
        try:
            read()
        except OciError:
            continue
