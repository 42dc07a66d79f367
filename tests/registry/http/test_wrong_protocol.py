"""A client that speaks something else on the plain HTTP port hears so at once."""

import socket
from pathlib import Path

import pytest

from tests.servers import open_registry

CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(194)
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.mark.parametrize("opening", [CLIENT_HELLO, HTTP2_PREFACE], ids=["TLS", "HTTP/2"])
def test_another_protocol_is_answered_in_plain_http(tmp_path: Path, opening: bytes) -> None:
    """Docker and podman try TLS first on loopback, and fall back when the answer is HTTP."""
    with open_registry(tmp_path / "data") as live:
        address, _, port = live.host.rpartition(":")
        with socket.create_connection((address, int(port)), timeout=5) as line:
            line.sendall(opening)
            assert line.recv(64).startswith(b"HTTP/1.1 ")
