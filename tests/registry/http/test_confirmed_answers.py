"""Answers that are remembered and given when the database has confirmed them, over sockets."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from registry.app import build
from tests.postgres import PostgresServer
from tests.repository import Repository
from tests.servers import LiveRegistry, open_settings, running
from tests.waiting import wait_until

TAGGED = b"GET /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: x\r\n\r\n"
PING = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"
GONE = b"GET /v2/team/app/manifests/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
AT_ONCE = b"\1\0\0\0\0\0\0\0"
"""SO_LINGER: a close resets the connection."""


@pytest.fixture
def live(postgres: PostgresServer, tmp_path: Path) -> Iterator[LiveRegistry]:
    """A registry whose answer for a tag is remembered."""
    with (
        running(build(open_settings(tmp_path / "data", metadata=postgres.settings()))) as live,
        live.client() as client,
    ):
        Repository(client, "team/app").image("v1")
        assert client.get("/v2/team/app/manifests/v1").status_code == 200
        yield live


def opened(live: LiveRegistry) -> socket.socket:
    """A connection."""
    host, _, port = live.host.partition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def statuses(live: LiveRegistry, requests: bytes) -> list[bytes]:
    """Those of the answers to requests that are sent in one go, the last of which closes the connection."""
    with closing(opened(live)) as connection:
        connection.sendall(requests)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    return [answer[:3] for answer in received.split(b"HTTP/1.1 ")[1:]]


def test_pipelined_requests_are_answered_in_their_order(live: LiveRegistry) -> None:
    """One that waits for the database holds those behind it back."""
    assert statuses(live, (TAGGED + PING) * 20 + GONE) == [b"200", b"200"] * 20 + [b"404"]


@pytest.mark.parametrize("linger", [b"", AT_ONCE], ids=["closed", "reset"])
def test_callers_who_go_meanwhile_leave_nothing(live: LiveRegistry, linger: bytes) -> None:
    """Others are answered, and nothing counts as being served."""
    for _ in range(50):
        with closing(opened(live)) as connection:
            if linger:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.sendall(TAGGED * 3)
    assert statuses(live, TAGGED + GONE) == [b"200", b"404"]
    with live.client() as client:
        wait_until(lambda: "basegate_requests_running 1.0" in client.get("/metrics").text)
