"""Who comes in: limits of connections, the wrong protocol on the TLS port, descriptors that run out."""

import json
import resource
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.registry.server.alone import alone
from tests.registry.server.lines import WAYS, Lines, lines, until_end

ASK = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def status(line: socket.socket) -> bytes:
    """Ask, and keep the connection."""
    line.sendall(ASK)
    return line.recv(1 << 16)[9:12]


def refusal(server: Lines) -> tuple[bytes, str]:
    """The head of what a connection too many is answered, and the code in its body."""
    with server.line() as line:
        line.sendall(ASK)
        head, _, body = until_end(line).partition(b"\r\n\r\n")
    return head, json.loads(body)["errors"][0]["message"]


def until_served(server: Lines) -> None:
    """A seat is free a moment after the client has seen the end of its connection, and not later than the time-out."""
    while True:
        with server.line() as line:
            if status(line) == b"200":
                return


@pytest.mark.parametrize("way", WAYS)
def test_one_address_has_so_many_connections(tmp_path: Path, way: str) -> None:
    """One more is told to come again, in the OCI form; when one has ended, the next is served."""
    with lines(tmp_path, way, connections_per_address=3) as server, ExitStack() as held:
        opened = [held.enter_context(server.line()) for _ in range(3)]
        assert [status(line) for line in opened] == [b"200"] * 3
        head, message = refusal(server)
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in head
        assert "your address" in message
        opened[0].close()
        until_served(server)


def test_a_proxy_brings_many_clients(tmp_path: Path) -> None:
    """Its connections are not counted as those of one address."""
    limits = {"connections_per_address": 1, "trusted_proxies": ["127.0.0.1"]}
    with lines(tmp_path, "fast", **limits) as server, server.line() as one, server.line() as two:
        assert status(one) == status(two) == b"200"


def test_there_are_so_many_connections_in_all(tmp_path: Path) -> None:
    """Whoever they come from."""
    with lines(tmp_path, "fast", connections=2) as server, server.line() as one, server.line() as two:
        assert status(one) == status(two) == b"200"
        head, message = refusal(server)
    assert head.startswith(b"HTTP/1.1 503 ")
    assert "this registry has as many connections" in message


def test_256_connections_of_one_address_are_served(tmp_path: Path) -> None:
    """With the limits there are by default."""
    with lines(tmp_path, "fast") as server, ExitStack() as held:
        opened = [held.enter_context(server.line()) for _ in range(256)]
        assert {status(line) for line in opened} == {b"200"}


@pytest.mark.parametrize("way", ["fast-TLS", "plain-TLS"])
def test_plain_http_on_the_tls_port_is_told_so(tmp_path: Path, way: str) -> None:
    """400 in plain HTTP, with what to do."""
    with lines(tmp_path, way) as server:
        address, _, port = server.live.host.rpartition(":")
        with socket.create_connection((address, int(port)), timeout=10) as line:
            line.sendall(ASK)
            said = until_end(line)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"https://" in said


@pytest.mark.parametrize("opening", [b"", b"\x16\x03\x01"], ids=["nothing", "half"])
def test_who_does_not_shake_hands_is_sent_away(tmp_path: Path, opening: bytes) -> None:
    """After as long as a head may take; the seat is free then."""
    with lines(tmp_path, "fast-TLS", head_seconds=0.5, connections_per_address=1) as server:
        address, _, port = server.live.host.rpartition(":")
        with socket.create_connection((address, int(port)), timeout=10) as line:
            line.sendall(opening)
            until_end(line)
        until_served(server)


def test_clients_wait_while_descriptors_have_run_out(tmp_path: Path) -> None:
    """In the kernel's queue, and nobody is reset; once there are some again, they are served."""
    with alone(tmp_path) as server, ExitStack() as held:
        used = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used + 40, 1024))
        opened = [held.enter_context(socket.create_connection(server.address, timeout=20)) for _ in range(64)]
        server.serving.logged("no connection can be accepted")
        for line in opened[:60]:  # the server may have opened files of its own since they were counted
            line.close()
        assert {status(line) for line in opened[60:]} == {b"200"}
