"""The writing connection of a node to PostgreSQL: its changes share transactions, and one node writes at a time.

Every transaction begins with one advisory lock of the database, and keeps it until it is committed and can be seen. So
changes of all nodes happen one after the other, as those of one SQLite file do, and what a change has read holds until
it is committed; numbers of events rise in the order of commits (docs/adr/0059-rows-in-postgresql.md).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from registry.database.errors import as_oci_error
from registry.database.group_commit import LARGEST_GROUP, Waiting, apply_alone, deliver
from registry.database.postponed import send
from registry.database.statement import raw
from registry.database.writer import WriterThread

T = TypeVar("T")

LOCK = int.from_bytes(b"basegate")


def take_turn(connection: Connection, lock: int = LOCK) -> None:
    """Wait until no other node writes; until the end of the transaction none does. `lock`: of what is written."""
    raw(connection, f"SELECT pg_advisory_xact_lock({lock})")


class PostgresWriter:
    """Makes changes in a thread of its own.

    Args:
        engine: its transactions are READ COMMITTED: each statement sees all that was committed before it began.
        before_commit: called in each transaction that others are told of, when its changes are made.
        committed: called after the commit of each of these, before any caller hears of it.
    """

    def __init__(
        self, engine: Engine, before_commit: Callable[[Connection], None], committed: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._before_commit = before_commit
        self._committed = committed
        self._connection: Connection | None = None
        self._writer: WriterThread[Waiting] = WriterThread("metadata-writer", self._commit, largest=LARGEST_GROUP)

    def submit(self, change: Callable[[Connection], T], *, told: bool = True) -> "asyncio.Future[T]":
        """Have a change made; the future is done when it is durable. `told`: whether others are told of it."""
        loop = asyncio.get_running_loop()
        waiting = Waiting(change, loop, loop.create_future(), told)
        self._writer.put(waiting)
        return cast("asyncio.Future[T]", waiting.future)

    def close(self) -> None:
        """Finish what waits and end the thread. Safe to call twice."""
        self._writer.close()
        self._forget()

    def _commit(self, group: list[Waiting]) -> None:
        try:
            connection = self._begun()
            if len(group) == 1:  # whatever fails until the commit is its own
                apply_alone(connection, group[0])
            else:
                send(connection)
                for waiting in group:
                    apply_alone(connection, waiting, send)
            told = any(waiting.told for waiting in group)
            if told:
                self._before_commit(connection)
            connection.commit()
            if told:
                self._committed()
        except Exception as error:  # noqa: BLE001 - whatever broke the transaction broke it for all of them
            self._forget()
            for waiting in group:
                waiting.error = waiting.error or as_oci_error(error)
        deliver(group)

    def _begun(self) -> Connection:
        """A connection in a transaction that has the lock; a new one where the old one has ended, as by a restart."""
        if self._connection is not None:
            try:
                return self._begin(self._connection)
            except Exception as error:
                broken = self._connection.connection.dbapi_connection
                self._forget()
                if not getattr(broken, "closed", True):
                    raise
                _ = error
        self._connection = self._engine.connect()
        return self._begin(self._connection)

    def _begin(self, connection: Connection) -> Connection:
        connection.begin()
        take_turn(connection)
        return connection

    def _forget(self) -> None:
        """Let go of the connection, in whatever state it is: the database ends its transaction."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError, Exception):
                connection.invalidate()
            with suppress(Exception):
                connection.close()
