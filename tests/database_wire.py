"""What goes over the wire to PostgreSQL: a proxy on a socket of its own that counts what clients ask.

Messages: https://www.postgresql.org/docs/15/protocol-message-formats.html. A client waits for the server when it has
sent a simple query, a synchronisation or a flush; a statement that is sent along with others costs no wait of its own.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_SOCKET = ".s.PGSQL.5432"
_WAITS = b"QSH"


@dataclass
class Session:
    """One connection.

    Attributes:
        options: what its session was told at the start.
        waits: how often its client has waited for an answer.
        statements: their texts, as they were run.
    """

    options: str = ""
    waits: int = 0
    statements: list[str] = field(default_factory=list)
    _prepared: dict[bytes, str] = field(default_factory=dict)
    _last: bytes = b" "

    @property
    def is_listening(self) -> bool:
        """Whether it is one that hears of other nodes, and asks whether the database is there."""
        return any(each.startswith("LISTEN") for each in self.statements)

    def sent(self, kind: bytes, body: bytes) -> None:
        """Count one message of the client."""
        self.waits += kind in _WAITS and self._last not in _WAITS
        self._last = kind
        if kind == b"Q":
            self.statements.append(body.rstrip(b"\0").decode())
        elif kind == b"P":
            name, text = body.split(b"\0")[:2]
            self._prepared[name] = text.decode()
        elif kind == b"B":
            self.statements.append(self._prepared[body.split(b"\0")[1]])


class DatabaseWire:
    """The proxy; it listens in `folder` as a server does."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.sessions: list[Session] = []
        self._server = str(server / _SOCKET)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / _SOCKET))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def of(self, *, results: bool) -> list[Session]:
        """The sessions of rows, or of results, that do not listen."""
        of_results = [(each, "search_path=basegate_results" in each.options) for each in self.sessions]
        return [each for each, are_results in of_results if are_results is results and not each.is_listening]

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                session = Session()
                self.sessions.append(session)
                threading.Thread(target=self._ask, args=(client, server, session), daemon=True).start()
                threading.Thread(target=_answer, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, session: Session) -> None:
        with suppress(OSError), client.makefile("rb") as messages, server:
            head = messages.read(4)
            start = messages.read(struct.unpack(">I", head)[0] - 4)
            session.options = start.decode(errors="replace")
            server.sendall(head + start)
            while head := messages.read(5):
                body = messages.read(struct.unpack(">I", head[1:])[0] - 4)
                session.sent(head[:1], body)
                server.sendall(head + body)


def _answer(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError), client:
        try:
            while data := server.recv(1 << 16):
                client.sendall(data)
        finally:  # also when the server goes without having read all: that is an error of `recv`
            client.shutdown(socket.SHUT_RDWR)  # it is still read from, and so would stay open


@contextmanager
def database_wire(folder: Path, server: Path) -> Iterator[DatabaseWire]:
    """A proxy in `folder` to the server whose socket is in another, until the block ends."""
    wire = DatabaseWire(folder, server)
    try:
        yield wire
    finally:
        wire.close()
