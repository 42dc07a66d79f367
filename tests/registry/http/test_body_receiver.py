"""Bodies that a worker thread takes from the socket: many chunks, trickles, clients that leave."""

import asyncio
import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.http.body_framing import Framing
from registry.http.body_receiver import Body, receive_body
from registry.http.request_head import read_head
from registry.http.socket_handle import SocketHandle
from tests.servers import LiveRegistry, open_registry

CONTENT = hashlib.sha256(b"content").digest() * 150_000


def connect(live: LiveRegistry) -> socket.socket:
    """A raw connection."""
    host, port = live.host.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def begin(live: LiveRegistry) -> str:
    """Open an upload; its path."""
    with live.client() as client:
        return str(client.post("/v2/a/blobs/uploads/").headers["location"])


@pytest.mark.parametrize("size", [1, 7, 4096, 70_000])
def test_chunks_of_every_size_arrive_whole(live: LiveRegistry, size: int) -> None:
    """The digest at the end is that of what was sent."""
    content = CONTENT[: size * 3000]
    pieces = (content[at : at + size] for at in range(0, len(content), size))
    with live.client() as client:
        place = client.patch(begin(live), content=pieces).headers["location"]
        done = client.put(place, params={"digest": f"sha256:{hashlib.sha256(content).hexdigest()}"})
    assert done.status_code == 201


def test_a_trickle_is_received(live: LiveRegistry) -> None:
    """A slow client gives its thread back and is waited for in the loop."""
    head = f"PATCH {begin(live)} HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\nConnection: close\r\n\r\n".encode()
    with connect(live) as link, live.client() as client:
        link.sendall(head)
        for _ in range(20):
            link.sendall(b"x")
            assert client.get("/v2/").status_code == 200
        assert b"range: 0-19" in link.recv(4096)


def test_more_slow_uploads_than_threads_do_not_block_each_other(live: LiveRegistry) -> None:
    """Nobody holds a thread while nothing comes."""
    head = "PATCH {} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    links = [connect(live) for _ in range(12)]
    for link in links:
        link.sendall(head.format(begin(live)).encode() + b"x")
    with live.client() as client:
        assert client.patch(begin(live), content=CONTENT).status_code == 202
    for link in links:
        link.sendall(b"y")
        assert b" 202 " in link.recv(4096)
        link.close()


def test_what_came_before_a_client_left_counts(live: LiveRegistry) -> None:
    """It can go on from there."""
    place = begin(live)
    with connect(live) as link:
        link.sendall(
            f"PATCH {place} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n".encode() + CONTENT[:1_000_000]
        )
    with live.client() as client:
        while (found := client.get(place).headers["range"]) != "0-999999":
            assert found <= "0-999999"


def test_a_request_behind_a_chunked_body_is_served(live: LiveRegistry) -> None:
    """Bytes that the worker received past the end of the body go back to the connection."""
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CONTENT), CONTENT)
    head = f"PATCH {begin(live)} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with connect(live) as link:
        link.sendall(head + body + b"GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: link.recv(4096), b""))
    assert b" 202 " in answer
    assert b"HTTP/1.1 200 OK" in answer


def test_a_client_that_stalls_is_sent_away(tmp_path: Path) -> None:
    """After the time of the setting, with the reason; what came is kept."""
    with open_registry(tmp_path, server={"stall_seconds": 0.2}) as live:
        place = begin(live)
        with connect(live) as link:
            link.sendall(f"PATCH {place} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n12345".encode())
            assert link.recv(12) == b"HTTP/1.1 408"
        with live.client() as client:
            assert client.get(place).headers["range"] == "0-4"


def test_a_body_of_a_client_that_has_left_is_not_begun(live: LiveRegistry) -> None:
    """Between its head and the first worker: that is the client's affair, and no fault of the server."""
    host, port = live.host.rsplit(":", 1)
    framing = Framing(read_head(b"PATCH /v2/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9"))

    async def receive() -> None:
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, host, int(port))
        link = SocketHandle(transport)
        link.close()
        try:
            with ThreadPoolExecutor(1) as pool:
                await receive_body(link, Body(framing, lambda _piece: None, ()), pool, 1.0)
        finally:
            transport.close()

    with pytest.raises(ConnectionResetError):
        asyncio.run(receive())
