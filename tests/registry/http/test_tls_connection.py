"""Bodies under TLS: out of one buffer that all connections share."""

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from registry.cli.certificate_authority import make_certificates
from tests.servers import open_registry

CONTENT = hashlib.sha256(b"content").digest() * 300_000


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a server with a certificate."""
    made = make_certificates(tmp_path)
    trusting = ssl.create_default_context(cafile=str(made.ca))
    with (
        open_registry(tmp_path / "data", tls_cert=made.certificate, tls_key=made.key) as live,
        live.client(verify=trusting) as client,
    ):
        yield client


def push(client: httpx.Client, content: bytes) -> str:
    """Push a blob whole; its path."""
    place = client.post("/v2/a/blobs/uploads/").headers["location"]
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert client.put(place, params={"digest": digest}, content=content).status_code == 201
    return f"/v2/a/blobs/{digest}"


def test_a_large_body_comes_and_goes_whole(client: httpx.Client) -> None:
    """Both directions, and the connection is used again."""
    place = push(client, CONTENT)
    assert client.get(place).content == CONTENT
    assert client.get(place, headers={"Range": "bytes=5-9"}).content == CONTENT[5:10]


def test_bodies_that_come_at_once_are_kept_apart(client: httpx.Client) -> None:
    """The digests agree, although the deciphered bytes of all stood in the same place for a moment."""
    done: list[str] = []
    contents = [bytes([number]) * 3_000_000 for number in range(4)]
    threads = [threading.Thread(target=lambda item=item: done.append(push(client, item))) for item in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4


def test_a_slow_client_gets_everything_and_keeps_nobody_waiting(client: httpx.Client) -> None:
    """Others are served while it takes nothing, and the bytes it takes later are right."""
    place = push(client, CONTENT)
    with client.stream("GET", place) as slow:
        pieces = slow.iter_bytes()
        first = next(pieces)
        assert client.get(place).content == CONTENT
        assert first + b"".join(pieces) == CONTENT


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_taken_up_again(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """A client that comes back need not shake hands in full."""
    made = make_certificates(tmp_path)
    trusting = ssl.create_default_context(cafile=str(made.ca))
    trusting.minimum_version = trusting.maximum_version = version
    with open_registry(tmp_path / "data", tls_cert=made.certificate, tls_key=made.key) as live:
        port, session = int(live.host.rpartition(":")[2]), None
        for _ in range(2):
            plain = socket.create_connection(("127.0.0.1", port), timeout=10)
            with trusting.wrap_socket(plain, server_hostname="localhost", session=session) as link:
                link.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert link.recv(1)
                session, reused = link.session, link.session_reused
    assert reused
