"""Messages between the server and its inspection workers: length-prefixed frames over a local socket pair.

A job travels with the descriptor of an open file, so that a worker never needs a path. Server to worker: a job
`{"available", "complete", "algorithm", "budgets"}`, then any number of `{"available", "complete"}` and at most one
`{"abandon": true}`. Worker to server: one answer `{"read", "digest", "failure", "abandoned", "memory"}` and a frame
with the inspection's bytes.
"""

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct(">I")
MAXIMUM = (1 << 32) - 1
_PIECE = 1 << 20
"""Bytes of a frame for which room is made at once: its sender may announce more than it has."""


class ConnectionLost(Exception):
    """The other side is gone."""


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
    """So many bytes. Room is made as they come, never for what was only announced."""
    found = bytearray(min(count, _PIECE))
    at = 0
    while at < count:
        if at == len(found):
            found.extend(bytes(min(count, 2 * at) - at))
        with memoryview(found) as view:
            got = connection.recv_into(view[at:])
        if not got:
            raise ConnectionLost
        at += got
    return bytes(found)
