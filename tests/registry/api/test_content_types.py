"""No browser may take an answer for something else than it says: every response forbids it to guess."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from registry.oci.digest import Digest
from tests.servers import LiveRegistry, open_registry

CONTENT = b"<script>alert(1)</script>" * 100
BLOB = f"/v2/team/app/blobs/{Digest.of(CONTENT)}"
PATHS = ("/v2/", "/v2", "/v2/_catalog", "/v2/team/app/tags/list", BLOB, "/nowhere", "/healthz", "/metrics", "/v2/a/b/c")


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "stock"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegistry]:
    """A registry that holds one blob, behind either server."""
    with open_registry(tmp_path_factory.mktemp("data"), server={"fast": request.param}) as running:
        with running.client() as client:
            where = client.post("/v2/team/app/blobs/uploads/").headers["Location"]
            client.put(where, params={"digest": Digest.of(CONTENT)}, content=CONTENT)
        yield running


def guards(replies: list[httpx.Response]) -> list[list[str]]:
    """What each answer says of guessing."""
    return [reply.headers.get_list("X-Content-Type-Options") for reply in replies]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_every_answer(live: LiveRegistry, path: str, method: str) -> None:
    """Content, lists, errors and refusals; the second time as the first."""
    with live.client() as client:
        assert guards([client.request(method, path) for _ in range(2)]) == [["nosniff"]] * 2


@pytest.mark.parametrize("part", ["bytes=0-9", "bytes=99999-"])
def test_part_of_a_blob(live: LiveRegistry, part: str) -> None:
    """And a range that cannot be."""
    with live.client() as client:
        assert guards([client.get(BLOB, headers={"Range": part}) for _ in range(3)]) == [["nosniff"]] * 3


@pytest.mark.parametrize("live", [True], ids=["fast"], indirect=True)
@pytest.mark.parametrize("head", [b"nonsense", b"GET /v2/ HTTP/9.9", b"GET /v2/ HTTP/1.1\r\nContent-Length: x"])
def test_request_that_is_none(live: LiveRegistry, head: bytes) -> None:
    """What the server itself refuses, before anything else has seen it."""
    host, _, port = live.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(head + b"\r\n\r\n")
        assert b"x-content-type-options: nosniff\r\n" in line.recv(65_536).lower()
