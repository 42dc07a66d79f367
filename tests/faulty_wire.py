"""A proxy to PostgreSQL that cuts one connection at a chosen statement, before it is run or before it is answered."""

import socket
import struct
from contextlib import suppress

from tests.database_wire import DatabaseWire, Session


class FaultyWire(DatabaseWire):
    """One node's way to its database. Connections that listen are neither counted nor cut.

    Attributes:
        waits: how often the node has waited for an answer since it was armed.
        has_cut: whether that which it was armed for was cut.
    """

    waits, has_cut = 0, False
    _at, _runs = 0, False

    def arm(self, at: int, *, runs: bool) -> None:
        """Cut at the wait of this number from now on; 0: none. `runs`: the statement is run, and nobody is told."""
        self._at, self._runs = at, runs
        self.waits, self.has_cut = 0, False

    def _ask(self, client: socket.socket, server: socket.socket, session: Session) -> None:
        with suppress(OSError), client.makefile("rb") as messages, server:
            head = messages.read(4)
            server.sendall(head + messages.read(struct.unpack(">I", head)[0] - 4))
            while head := messages.read(5):
                message = head + messages.read(struct.unpack(">I", head[1:])[0] - 4)
                before = session.waits
                session.sent(head[:1], message[5:])
                if session.waits > before and not session.is_listening and self._cuts():
                    client.shutdown(socket.SHUT_RDWR)
                    if self._runs:
                        server.sendall(message)
                    server.shutdown(socket.SHUT_WR)
                    return
                server.sendall(message)

    def _cuts(self) -> bool:
        self.waits += 1
        if self.waits != self._at:
            return False
        self.has_cut = True
        return True
