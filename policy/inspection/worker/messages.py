"""Messages between the server and its inspection workers: length-prefixed frames over a socket pair.

A job is sent with the descriptor of an open file, so a worker needs no path. Server to worker: a job `{"available",
"complete", "algorithm", "budgets"}`, then any number of `{"available", "complete"}` and at most one `{"abandon":
true}`. Worker to server: one answer `{"read", "digest", "failure", "abandoned", "memory"}` and a frame with the
inspection's bytes.
"""

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct(">I")
MAXIMUM = (1 << 32) - 1
_PIECE = 1 << 20
"""Bytes allocated at once for a frame: its sender may announce more than it sends."""


class ConnectionLost(Exception):
    """The other side has closed the connection."""


def send(connection: socket.socket, message: dict[str, Any], descriptor: int | None = None) -> None:
    """Send one JSON message, with an open file's descriptor when one is given."""
    content = json.dumps(message).encode()
    frame = _LENGTH.pack(len(content)) + content
    if descriptor is None:
        connection.sendall(frame)
        return
    sent = socket.send_fds(connection, [frame], [descriptor])
    connection.sendall(frame[sent:])


def send_bytes(connection: socket.socket, content: bytes) -> None:
    """Send one frame of bytes."""
    connection.sendall(_LENGTH.pack(len(content)))
    connection.sendall(content)


def receive(connection: socket.socket) -> tuple[dict[str, Any], int | None]:
    """Wait for one JSON message, and the descriptor that came with it.

    Raises:
        ConnectionLost: the other side closed.
    """
    prefix, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, 1)
    if not prefix:
        raise ConnectionLost
    prefix += _exactly(connection, _LENGTH.size - len(prefix))
    content = json.loads(_exactly(connection, _LENGTH.unpack(prefix)[0]))
    return content, descriptors[0] if descriptors else None


def receive_bytes(connection: socket.socket) -> bytes:
    """Wait for one frame of bytes.

    Raises:
        ConnectionLost: the other side closed.
    """
    return _exactly(connection, _LENGTH.unpack(_exactly(connection, _LENGTH.size))[0])


def _exactly(connection: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes. The buffer grows as they arrive: the announced size is not trusted."""
    buffer = bytearray(min(count, _PIECE))
    received = 0
    while received < count:
        if received == len(buffer):
            buffer.extend(bytes(min(count, 2 * received) - received))
        with memoryview(buffer) as view:
            got = connection.recv_into(view[received:])
        if not got:
            raise ConnectionLost
        received += got
    return bytes(buffer)
