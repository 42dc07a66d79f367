"""Connections to an SQLite file: how they are set up, and one for each thread that reads."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from registry.database.statement import raw

BUSY_SECONDS = 20.0
"""How long a transaction waits for a lock that another process holds."""

LASTING = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY")
"""Pragmas of a database whose commits survive a power failure."""


def connect(path: Path, *, begin: str, busy_seconds: float = BUSY_SECONDS, pragmas: Sequence[str] = LASTING) -> Engine:
    """An engine over the file.

    Args:
        path: the database.
        begin: what its transactions start with; "" for none: each statement stands for itself then.
        busy_seconds: how long they wait for a lock.
        pragmas: of each connection, in this order.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "isolation_level": None, "timeout": busy_seconds},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    if begin:

        @event.listens_for(engine, "begin")
        def start(connection: Connection) -> None:
            raw(connection, begin)

    return engine


class ThreadConnections:
    """A connection for each thread, as long as the threads last or until all are closed.

    Args:
        prepare: called with each that is new.
    """

    def __init__(self, prepare: Callable[[Connection], None] = lambda _connection: None) -> None:
        self._prepare = prepare
        self._local = threading.local()
        self._open: list[Connection] = []
        self._lock = threading.Lock()

    def of(self, engine: Engine) -> Connection:
        """The calling thread's connection; a new one when it had one of another engine."""
        known: tuple[Engine, Connection] | None = getattr(self._local, "connection", None)
        if known is not None and known[0] is engine:
            return known[1]
        found = engine.connect()
        self._prepare(found)
        self._local.connection = engine, found
        with self._lock:
            self._open.append(found)
        return found

    def close(self) -> None:
        """Close all of them; nobody may be using one."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
