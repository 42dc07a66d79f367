"""Several ranges in one request: `multipart/byteranges` (RFC 9110, sections 14.2 and 14.6)."""

from collections.abc import Iterator
from email.parser import BytesParser
from pathlib import Path

import httpx
import pytest

from registry.api.ranges import Window, read_windows
from registry.oci.digest import Digest
from registry.oci.errors import RangeNotSatisfiable
from tests.servers import LiveRegistry, open_registry

CONTENT = bytes(range(250)) * 800
DIGEST = Digest.of(CONTENT)
BLOB = f"/v2/team/app/blobs/{DIGEST}"


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "plain"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegistry]:
    """A registry with one blob."""
    data: Path = tmp_path_factory.mktemp("ranges") / "data"
    with open_registry(data, server={"fast": request.param}) as started:
        with started.client() as client:
            place = client.post("/v2/team/app/blobs/uploads/").headers["location"]
            client.put(place, params={"digest": DIGEST}, content=CONTENT).raise_for_status()
        yield started


def ask(live: LiveRegistry, text: str, method: str = "GET", **headers: str) -> httpx.Response:
    """The answer to a request with a Range, asked for the third time: from memory where that is done."""
    with live.client() as client:
        client.get(BLOB)
        client.get(BLOB, headers={"Range": "bytes=0-0"})
        answers = [client.request(method, BLOB, headers={"Range": text, **headers}) for _ in range(3)]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    return answers[0]


def parts(answer: httpx.Response) -> list[tuple[str, bytes]]:
    """Content-Range and bytes of each part, as an independent reader finds them."""
    head = b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n"
    found = list(BytesParser().parsebytes(head + answer.content).walk())[1:]
    assert {part.get_content_type() for part in found} == {"application/octet-stream"}
    return [(str(part["Content-Range"]), bytes(part.get_payload(decode=True))) for part in found]


@pytest.mark.parametrize(
    "spans", [[(0, 9), (20, 29)], [(20, 29), (0, 9)], [(0, 9), (5, 14)], [(0, 0), (1, 70_000), (199_999, 199_999)]]
)
def test_each_range_is_a_part_in_the_order_asked(live: LiveRegistry, spans: list[tuple[int, int]]) -> None:
    """Ascending, descending, overlapping."""
    answer = ask(live, "bytes=" + ", ".join(f"{first}-{last}" for first, last in spans))
    assert (answer.status_code, answer.headers["content-length"]) == (206, str(len(answer.content)))
    assert answer.headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert "content-range" not in answer.headers
    wanted = [(f"bytes {first}-{last}/{len(CONTENT)}", CONTENT[first : last + 1]) for first, last in spans]
    assert parts(answer) == wanted


def test_what_lies_outside_is_left_out(live: LiveRegistry) -> None:
    """One that is left is an answer without parts; none that is left is 416."""
    answer = ask(live, "bytes=5-9,900000-,-3,900001-900002")
    assert [found for found, _ in parts(answer)] == ["bytes 5-9/200000", "bytes 199997-199999/200000"]
    single = ask(live, "bytes=900000-,5-9")
    assert (single.status_code, single.headers["content-range"], single.content) == (
        206,
        "bytes 5-9/200000",
        CONTENT[5:10],
    )
    none = ask(live, "bytes=900000-,-0")
    assert (none.status_code, none.headers["content-range"]) == (416, "bytes */200000")


@pytest.mark.parametrize(
    "text",
    [
        "bytes=" + ",".join(f"{at}-{at}" for at in range(17)),
        "bytes=0-,0-0",
        "bytes=0-1,x",
        "bytes=0-1,9-2",
        "bytes=0-1;2-3",
        "items=0-1,3-4",
    ],
    ids=["too many", "more than all", "garbage", "reversed", "semicolon", "another unit"],
)
def test_others_get_the_whole(live: LiveRegistry, text: str) -> None:
    """Too many, more bytes than there are, and what cannot be read."""
    answer = ask(live, text)
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(CONTENT)))


def test_sixteen_are_served(live: LiveRegistry) -> None:
    """Empty members of the list do not count."""
    answer = ask(live, "bytes=," + ",,".join(f"{at}-{at}" for at in range(16)))
    assert [content for _, content in parts(answer)] == [CONTENT[at : at + 1] for at in range(16)]


def test_conditions_and_heads(live: LiveRegistry) -> None:
    """If-Range with another tag gets the whole, with this one the parts; a HEAD is told of the whole."""
    text = "bytes=0-0,2-2"
    assert ask(live, text, **{"If-Range": '"other"'}).status_code == 200
    assert ask(live, text, **{"If-Range": f'"{DIGEST}"'}).status_code == 206
    assert ask(live, text, **{"If-None-Match": f'"{DIGEST}"'}).status_code == 304
    head = ask(live, text, "HEAD")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))


def test_the_setting_says_how_many() -> None:
    """One range alone is served always."""
    assert read_windows("bytes=0-0,2-2,4-4", 10, 2) == ()
    assert read_windows("bytes=0-0,2-2", 10, 2) == (Window(0, 1, 10), Window(2, 1, 10))
    assert read_windows("bytes=0-0", 10, 0) == (Window(0, 1, 10),)
    with pytest.raises(RangeNotSatisfiable):
        read_windows("bytes=10-,11-", 10, 2)
