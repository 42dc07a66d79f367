"""Blobs handed out from memory: as the application would, told truly, and no longer than it would."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.registry.gates import REFUSED
from tests.registry.server.remembering import BLOB, CONTENT, DIGEST, Remembering, remembering

PATIENCE_SECONDS = 20


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Remembering]:
    """A server that has handed out the blob."""
    with remembering(tmp_path) as started:
        yield started


def until(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within a while."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def test_the_application_is_not_asked(served: Remembering) -> None:
    """Neither for the whole nor for any part that was not asked for before."""
    assert served.client.get(BLOB).content == CONTENT
    for text, start, end in (("bytes=5-99", 5, 100), ("bytes=100-", 100, len(CONTENT)), ("bytes=-7", -7, None)):
        answer = served.part(text)
        assert (answer.status_code, answer.content) == (206, CONTENT[start:end])
    assert served.gate.asked == 0


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Range": f"bytes={len(CONTENT)}-"}, 416),
        ({"Range": "bytes=0-0", "If-Range": '"other"'}, 200),
        ({"If-None-Match": f'"{DIGEST}"'}, 304),
        ([("Range", "bytes=0-0"), ("Range", "bytes=1-1")], 206),
    ],
)
def test_the_application_is_asked_when_in_doubt(
    served: Remembering, fields: dict[str, str] | list[tuple[str, str]], status: int
) -> None:
    """What it refuses, and what depends on a header that only it reads."""
    assert served.client.get(BLOB, headers=httpx.Headers(fields)).status_code == status
    assert served.gate.asked == 1


def test_a_refusal_of_the_gate_is_seen_at_once(served: Remembering) -> None:
    """When it says that earlier decisions have fallen."""
    served.gate.refused.add(DIGEST)
    served.gate.changes += 1
    assert served.part("bytes=0-9").status_code == 403
    assert served.client.get(BLOB).json()["errors"][0]["message"] == REFUSED.message


def test_a_deleted_blob_is_gone(served: Remembering) -> None:
    """As soon as its deletion was answered."""
    assert served.client.delete(BLOB).status_code == 202
    assert served.client.get(BLOB).status_code == 404


def test_a_file_that_has_gone_is_the_applications_to_explain(served: Remembering) -> None:
    """On the same connection, which is used again afterwards."""
    served.file.unlink()
    answer = served.part("bytes=0-9")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "BLOB_UNKNOWN")
    assert served.client.get("/v2/").status_code == 200
    assert until(lambda: [exchange.status for exchange in served.heard] == [404, 200])


def test_a_file_of_another_size_is_the_applications_to_explain(served: Remembering) -> None:
    """It finds that the bytes are not those of the digest, and hands none of them out."""
    served.file.unlink()
    served.file.write_bytes(CONTENT[:1000])
    assert served.client.get(BLOB).status_code == 404
    assert not served.file.exists()


def test_observers_hear_what_was_sent(served: Remembering) -> None:
    """Status, bytes, digest and time of each request, under an id of its own."""
    number = served.part("bytes=10-29").headers["x-request-id"]
    assert until(lambda: len(served.heard) == 1)
    heard = served.heard[0]
    assert (heard.request_id, heard.status, heard.sent, heard.digest) == (number, 206, 20, DIGEST)
    assert (heard.operation, heard.repository, heard.reference) == ("blobs.pull", "a", DIGEST)
    assert heard.seconds > 0


def test_a_client_that_leaves_is_told_of_once(served: Remembering) -> None:
    """With the bytes that had left by then, and nothing goes on running."""
    with served.asking() as link:
        assert link.recv(100_000)
    assert until(lambda: len(served.heard) == 1)
    assert 0 < served.heard[0].sent < len(CONTENT)
    assert served.gate.asked == served.live.app.asgi.running == 0


def test_a_slow_client_gets_everything(served: Remembering) -> None:
    """It is waited for, however often; what it asked meanwhile is answered behind."""
    with served.asking() as link:
        link.sendall(b"GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        time.sleep(0.05)
        received = b"".join(iter(lambda: link.recv(1 << 20), b""))
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert rest.startswith(CONTENT + b"HTTP/1.1 200 ")
    assert until(lambda: [exchange.operation for exchange in served.heard] == ["blobs.pull", "root.check"])


def test_a_client_that_takes_nothing_is_cut(tmp_path: Path) -> None:
    """After the patience of the settings."""
    with remembering(tmp_path, server={"stall_seconds": 1}) as served, served.asking():
        assert until(lambda: len(served.heard) == 1)
        assert served.heard[0].sent < len(CONTENT)


def test_a_running_transfer_counts_as_a_request(tmp_path: Path) -> None:
    """Others are turned away when there are as many as the settings allow."""
    with remembering(tmp_path, server={"concurrency": 1}) as served, served.asking() as link:
        assert link.recv(1)
        assert served.client.get("/v2/").status_code == 503


def test_a_running_transfer_ends_before_the_server(served: Remembering) -> None:
    """A stop lets it go on, and closes the connection behind it."""
    with served.asking() as link:
        assert link.recv(1)
        served.live.stop()
        received = sum(len(piece) for piece in iter(lambda: link.recv(1 << 20), b""))
    assert received > len(CONTENT)


def test_a_server_that_may_not_wait_cuts_a_transfer(tmp_path: Path) -> None:
    """It is told of all the same."""
    with remembering(tmp_path, server={"shutdown_seconds": 1}) as served:
        with served.asking() as link:
            assert link.recv(1)
            served.live.stop()
            assert until(lambda: len(served.heard) == 1)
        assert served.heard[0].sent < len(CONTENT)
