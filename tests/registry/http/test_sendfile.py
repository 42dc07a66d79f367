"""Files that go straight to sockets: which bytes, and that nothing stays open behind them."""

import hashlib
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.servers import LiveRegistry

CONTENT = bytes(range(256)) * 40_000
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
BLOB = f"/v2/a/blobs/{DIGEST}"


@pytest.fixture
def live(live: LiveRegistry) -> LiveRegistry:
    """A server that holds the blob."""
    with live.client() as client:
        push(client)
    return live


def push(client: httpx.Client) -> None:
    """Push the blob."""
    place = client.post("/v2/a/blobs/uploads/").headers["location"]
    assert client.put(place, params={"digest": DIGEST}, content=CONTENT).status_code == 201


def open_files(folder: Path) -> list[str]:
    """Files of the folder's blobs that this process has open, deleted ones included."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    return [name for name in found if name.startswith(str(folder / "blobs"))]


def none_open(folder: Path) -> bool:
    """Whether all are closed within a while."""
    end = time.monotonic() + 20
    while open_files(folder) and time.monotonic() < end:
        time.sleep(0.01)
    return not open_files(folder)


def test_many_ranges_on_one_connection(live: LiveRegistry) -> None:
    """The duplicate of the socket serves all of them."""
    with live.client() as client:
        for start in range(0, 5_000_000, 250_007):
            answer = client.get(BLOB, headers={"Range": f"bytes={start}-{start + 99_999}"})
            assert answer.content == CONTENT[start : start + 100_000]


def test_uploads_and_downloads_in_turn_on_one_connection(live: LiveRegistry) -> None:
    """Reading in a worker, sending from one, and reading in the loop again."""
    with live.client() as client:
        for _ in range(3):
            push(client)
            assert client.get(BLOB).content == CONTENT


def test_no_file_stays_open(live: LiveRegistry) -> None:
    """Not behind an answer, and not behind a client that left in the middle of one."""
    with live.client() as client:
        assert client.get(BLOB).status_code == 200
    host, port = live.host.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as link:
        link.sendall(f"GET {BLOB} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert link.recv(100_000)
    assert none_open(live.data)


def test_a_deleted_blob_is_not_served_again(live: LiveRegistry) -> None:
    """Nothing keeps its file for the next request, on a connection that has sent it before."""
    with live.client() as client:
        assert client.get(BLOB).status_code == 200
        assert client.delete(BLOB).status_code == 202
        assert client.get(BLOB).status_code == 404


def test_a_connection_that_ends_gives_its_duplicate_back(live: LiveRegistry) -> None:
    """The client sees the end of its connection, which a duplicate that stays open would keep from it."""
    host, port = live.host.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as link:
        link.sendall(f"GET {BLOB} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        received = sum(len(piece) for piece in iter(lambda: link.recv(1 << 16), b""))
    assert received > len(CONTENT)
