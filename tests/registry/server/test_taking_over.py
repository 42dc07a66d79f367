"""A newer request for an upload goes before one that has gone silent; a PUT that breaks off can be repeated."""

import hashlib
import os
import time
from collections.abc import Iterator

import pytest

from tests.registry.server.lines import WAYS, Lines, lines, until_end

CONTENT = os.urandom(700_000)
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
HALF = 350_000


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    """A server with the limits that it has by default."""
    with lines(tmp_path_factory.mktemp("server"), request.param) as started:
        yield started


def head(server: Lines, method: str, target: str, length: int = 0, fields: str = "") -> bytes:
    """The head of a request of the owner."""
    first = f"{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{fields}"
    return first.encode() + server.authorization + b"\r\n\r\n"


def ask(server: Lines, *request: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The status and the headers of the answer to a request on a connection of its own."""
    with server.line() as line:
        line.sendall(b"".join(request).replace(b"Host: a\r\n", b"Host: a\r\nConnection: close\r\n", 1))
        first, *fields = until_end(line).partition(b"\r\n\r\n")[0].split(b"\r\n")
    return first[9:12], dict(field.split(b": ", 1) for field in fields)


def begun(server: Lines) -> str:
    """The path of a new upload."""
    return ask(server, head(server, "POST", "/v2/a/blobs/uploads/"))[1][b"location"].decode()


def patch(server: Lines, place: str, start: int, content: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """Send a chunk."""
    span = f"Content-Range: {start}-{start + len(content) - 1}\r\n"
    return ask(server, head(server, "PATCH", place, len(content), span), content)


def put(server: Lines, place: str, content: bytes) -> bytes:
    """End an upload; the status."""
    return ask(server, head(server, "PUT", f"{place}?digest={DIGEST}", len(content)), content)[0]


def stands_at(server: Lines, place: str) -> bytes:
    """How far an upload is."""
    return ask(server, head(server, "GET", place))[1][b"range"]


def test_an_upload_goes_on_beside_a_silent_patch(server: Lines) -> None:
    """GET and PATCH of another connection are answered; the silent one hears why it was ended."""
    place = begun(server)
    with server.line() as silent:
        silent.sendall(head(server, "PATCH", place, len(CONTENT)) + CONTENT[:HALF])
        status = patch(server, place, HALF, CONTENT[HALF:])[0]
        assert status == b"202"
        assert silent.recv(12) == b"HTTP/1.1 409"
    assert stands_at(server, place) == b"0-699999"
    assert put(server, place, b"") == b"201"


def test_a_put_is_repeated_beside_a_silent_one(server: Lines) -> None:
    """What the silent one brought does not count."""
    place = begun(server)
    assert patch(server, place, 0, CONTENT[:1000])[0] == b"202"
    with server.line() as silent:
        silent.sendall(head(server, "PUT", f"{place}?digest={DIGEST}", len(CONTENT) - 1000) + CONTENT[1000:HALF])
        assert stands_at(server, place) == b"0-999"
        assert put(server, place, CONTENT[1000:]) == b"201"


def test_an_upload_is_cancelled_beside_a_silent_patch(server: Lines) -> None:
    """DELETE is answered, and the session is gone."""
    place = begun(server)
    with server.line() as silent:
        silent.sendall(head(server, "PATCH", place, len(CONTENT)) + CONTENT[:HALF])
        assert ask(server, head(server, "DELETE", place))[0] == b"204"
    assert ask(server, head(server, "GET", place))[0] == b"404"


@pytest.mark.parametrize("sent", [0, 1, HALF, len(CONTENT) - 1])
def test_a_put_that_was_cut_is_repeated(server: Lines, sent: int) -> None:
    """As regctl and oras do it: the same PUT again, to the same session."""
    place = begun(server)
    with server.line() as cut:
        cut.sendall(head(server, "PUT", f"{place}?digest={DIGEST}", len(CONTENT)) + CONTENT[:sent])
    assert put(server, place, CONTENT) == b"201"


def test_a_request_that_brings_bytes_is_waited_for(server: Lines) -> None:
    """However slowly they come; the newer one is answered behind it."""
    place = begun(server)
    with server.line() as slow, server.line() as newer:
        slow.sendall(head(server, "PATCH", place, 8) + b"0")
        time.sleep(0.2)
        newer.sendall(head(server, "PATCH", place, 1, "Content-Range: 8-8\r\n") + b"x")
        for number in range(1, 8):
            time.sleep(0.4)
            slow.sendall(b"%d" % number)
        assert slow.recv(12) == b"HTTP/1.1 202"
        assert newer.recv(12) == b"HTTP/1.1 202"
