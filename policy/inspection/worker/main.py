"""The inspection worker: a process that inspects one layer at a time.

Started by `policy.inspection.worker.pool` with its end of a socket pair as descriptor 0.
"""

import hashlib
import os
import socket
import sys
import threading
from collections import deque
from typing import Any

from policy.inspection.budgets import Budgets
from policy.inspection.contents import with_contents_table
from policy.inspection.layer.scan import scan_layer
from policy.inspection.worker.messages import ConnectionLost, receive, send, send_bytes
from policy.inspection.worker.sandbox import allow_cpu, confine, memory_used

_PIECE = 1 << 20
_UNHASHED = 4
_SWITCH_SECONDS = 0.00005


class Abandoned(Exception):
    """The server no longer needs this layer."""


class ArrivingLayer:
    """A growing file, read as far as the server says that its bytes will not change.

    Every byte read is hashed, so that the inspection is bound to the digest of the committed upload. Either thread
    hashes: the reading one only when the other falls behind.
    """

    def __init__(self, descriptor: int, job: dict[str, Any], connection: socket.socket) -> None:
        self._descriptor = descriptor
        self._connection = connection
        self._available = int(job["available"])
        self._complete = bool(job["complete"])
        self._hasher = hashlib.new(job["algorithm"])
        self._unhashed: deque[bytes] = deque()
        self._hashing = threading.Lock()
        self.abandoned = False
        self.offset = 0

    def read(self, count: int) -> bytes:
        """At most `count` bytes; waits until there are some; `b""` at the layer's end.

        Raises:
            Abandoned: the server no longer needs the layer, or the file is shorter than announced.
        """
        while self.offset >= self._available and not self._complete:
            self._wait()
        wanted = min(count, self._available - self.offset)
        if wanted <= 0:
            return b""
        piece = os.pread(self._descriptor, wanted, self.offset)
        if not piece:
            self.abandoned = True
            raise Abandoned
        self.offset += len(piece)
        self._unhashed.append(piece)
        if len(self._unhashed) > _UNHASHED:
            self.hash()
        return piece

    def hash(self) -> None:
        """Hash the bytes read since the last call."""
        with self._hashing:
            while self._unhashed:
                self._hasher.update(self._unhashed.popleft())

    def drain(self) -> str:
        """Read the rest and return the hexadecimal digest of the whole layer."""
        while self.read(_PIECE):
            pass
        self.hash()
        return self._hasher.hexdigest()

    def _wait(self) -> None:
        message, _ = receive(self._connection)
        if message.get("abandon"):
            self.abandoned = True
            raise Abandoned
        self._available = int(message["available"])
        self._complete = bool(message["complete"])


def answer(connection: socket.socket, job: dict[str, Any], descriptor: int) -> None:
    """Inspect the layer of one job and send the result."""
    budgets = Budgets(**job["budgets"])
    allow_cpu(budgets.cpu_seconds)
    layer = ArrivingLayer(descriptor, job, connection)
    result: dict[str, Any] = {"failure": "", "digest": "", "abandoned": False}
    body = b""
    try:
        inspection = scan_layer(layer, "", budgets=budgets, beside=layer.hash)
        result["digest"] = layer.drain()
        allow_cpu(budgets.cpu_seconds)
        inspection = with_contents_table(inspection, descriptor, layer.offset, budgets)
        body = inspection.to_bytes()
    except Abandoned:
        result["abandoned"] = True
    except ConnectionLost:
        raise
    except Exception as error:  # noqa: BLE001 - any failure on untrusted bytes is the result
        result["failure"] = f"{type(error).__name__}: {error}"[:400]
    result |= {"read": layer.offset, "memory": memory_used(), "abandoned": layer.abandoned}
    send(connection, result)
    send_bytes(connection, body)


def main(memory_bytes: int) -> None:
    """Answer jobs until the server closes its end."""
    connection = socket.socket(fileno=0)
    # A thread that returns from decompressing waits this long for the other one; the default exceeds the time of a
    # piece.
    sys.setswitchinterval(_SWITCH_SECONDS)
    confine(memory_bytes)
    try:
        while True:
            job, descriptor = receive(connection)
            if descriptor is None:
                continue  # progress of a layer that is already answered
            try:
                answer(connection, job, descriptor)
            finally:
                os.close(descriptor)
    except (ConnectionLost, ConnectionError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
