"""The outermost room: busy servers, faults, unread bodies, what observers hear."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.app import build
from registry.gate import Decision, OpenGate
from registry.oci.errors import Denied
from registry.telemetry.request_record import RequestRecord
from tests.halfway import HalfwayUpload
from tests.repository import Repository, code_of
from tests.servers import LiveRegistry, joining, open_settings, running


class _BrokenGate(OpenGate):
    """A gate with a fault."""

    async def before_blob_pull(self, *_arguments: Any, **_more: Any) -> Decision:
        """Fail."""
        raise RuntimeError("a fault")


@pytest.fixture
def heard() -> list[RequestRecord]:
    """What the observer was told."""
    return []


@pytest.fixture(params=["fast", "plain"])
def live(request: pytest.FixtureRequest, tmp_path: Path, heard: list[RequestRecord]) -> Iterator[LiveRegistry]:
    """A registry with a broken gate and a small appetite for unread bodies, on both paths."""
    server = {"fast": request.param == "fast", "concurrency": 2}
    settings = open_settings(tmp_path / "data", limits={"unread_body_bytes": 1000}, server=server)
    with running(build(settings, extension=joining(gate=_BrokenGate(), observers=[heard.append]))) as live:
        yield live


def _exchange_raw(live: LiveRegistry, *pieces: bytes) -> bytes:
    """Send bytes over a socket and read until the server closes."""
    host, port = live.host.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        for piece in pieces:
            raw.sendall(piece)
        return b"".join(iter(lambda: raw.recv(65536), b""))


def test_a_fault_is_500_in_the_error_form(live: LiveRegistry, capfd: pytest.CaptureFixture[str]) -> None:
    """The caller gets the request id, not the fault; the log has both."""
    with live.client() as client:
        blob = Repository(client, "a").blob(b"x")
        answer = client.get(f"/v2/a/blobs/{blob.digest}")
    assert (answer.status_code, code_of(answer)) == (500, "UNSUPPORTED")
    assert "a fault" not in answer.text
    assert answer.headers["x-request-id"]


def test_a_connection_survives_a_fault(live: LiveRegistry) -> None:
    """The next request on it is served."""
    with live.client() as client:
        blob = Repository(client, "a").blob(b"x")
        assert client.get(f"/v2/a/blobs/{blob.digest}").status_code == 500
        assert client.get("/v2/").status_code == 200


def test_observers_hear_of_every_request(live: LiveRegistry, heard: list[RequestRecord]) -> None:
    """What was asked, of what, by whom, and what became of it."""
    with live.client() as client:
        blob = Repository(client, "a/b").blob(b"12345")
        client.get("/nowhere")
    while len(heard) < 3:  # they hear of a request after its answer has gone out
        pass
    push, nowhere = heard[1:]
    assert (push.operation, push.repository, push.status, push.received) == ("uploads.finish", "a/b", 201, 5)
    assert (push.digest, push.principal is not None) == (blob.digest, True)
    assert (nowhere.operation, nowhere.status, nowhere.error is not None) == ("", 404, True)


def test_a_short_unread_body_keeps_the_connection(live: LiveRegistry) -> None:
    """It is read away, and the next request is understood."""
    head = b"PATCH /v2/a/blobs/uploads/none HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n"
    second = b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = _exchange_raw(live, head, b"G" * 999, second)
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"HTTP/1.1 200" in answer


@pytest.mark.parametrize("framing", [b"Content-Length: 9000000", b"Transfer-Encoding: chunked"])
def test_a_long_unread_body_ends_the_connection(live: LiveRegistry, framing: bytes) -> None:
    """The caller still gets the whole answer, with Connection: close."""
    head = b"PATCH /v2/a/blobs/uploads/none HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n"
    answer = _exchange_raw(live, head, b"3e8\r\n" + b"G" * 1000)
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"connection: close" in answer.lower()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["errors"]


def test_a_body_that_waits_is_not_asked_for(live: LiveRegistry) -> None:
    """With Expect: 100-continue a refusal comes instead of 100, and the body never."""
    head = b"PATCH /v2/a/blobs/uploads/none HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    answer = _exchange_raw(live, head)
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"100 Continue" not in answer


def test_a_busy_server_says_so(live: LiveRegistry) -> None:
    """503 with Retry-After in the error form, while as many requests as allowed are being served."""
    with live.client() as client:
        locations = [Repository(client, "a").open_upload() for _ in range(2)]
        uploads = [HalfwayUpload(live.url + location) for location in locations]
        answer = next(filter(lambda answer: answer.is_error, (client.get("/v2/") for _ in range(10_000))))
        assert [upload.go_on() for upload in uploads] == [201, 201]
        assert (answer.status_code, code_of(answer), answer.headers["retry-after"]) == (503, "UNSUPPORTED", "1")
        assert client.get("/v2/").status_code == 200


def test_a_caller_that_leaves_is_not_an_error(live: LiveRegistry, heard: list[RequestRecord]) -> None:
    """499 for the observers; what has come of the upload is kept."""
    with live.client() as client:
        location = Repository(client, "a").open_upload()
        host, port = live.host.rsplit(":", 1)
        head = f"PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n".encode()
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(head)
            assert b" 100 " in raw.recv(64)
            raw.sendall(b"G" * 50)
            client.get("/healthz")  # served behind the bytes: uvicorn drops those that come together with the end
        while not (gone := [each for each in heard if each.operation == "uploads.append"]):
            client.get("/healthz")
        assert (gone[0].status, gone[0].error) == (499, None)
        assert client.get(location).headers["range"] == "0-49"


def test_an_observer_that_fails_breaks_nothing(tmp_path: Path) -> None:
    """Its fault is logged."""

    def broken(_request_record: RequestRecord) -> None:
        raise Denied

    with (
        running(build(open_settings(tmp_path / "data"), extension=joining(observers=[broken]))) as live,
        live.client() as client,
    ):
        assert client.get("/v2/").status_code == 200
