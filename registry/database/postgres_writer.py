"""The writing connection of a node to PostgreSQL: its changes share transactions, and one node writes at a time.

Every transaction begins with one advisory lock of the database, and keeps it until it is committed and can be seen. So
changes of all nodes happen one after the other, as those of one SQLite file do, and what a change has read holds until
it is committed; numbers of events rise in the order of commits (docs/adr/0059-rows-in-postgresql.md).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from registry.database.errors import as_oci_error
from registry.database.group_commit import LARGEST_GROUP, Waiting, apply_alone, deliver
from registry.database.postgres import has_been_ended
from registry.database.postponed import send
from registry.database.precondition import Precondition
from registry.database.statement import raw
from registry.database.writer import WriterThread

T = TypeVar("T")

_CHECKS = 16
"""Preconditions that are asked about at once: the lock of all nodes is held meanwhile."""
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
        self._checks = ThreadPoolExecutor(_CHECKS, thread_name_prefix="preconditions")
        self._writer: WriterThread[Waiting] = WriterThread("metadata-writer", self._commit, largest=LARGEST_GROUP)

    def submit(
        self, change: Callable[[Connection], T], *, told: bool = True, preconditions: Sequence[Precondition] = ()
    ) -> "asyncio.Future[T]":
        """Have a change made; the future is done when it is durable.

        `told`: whether others are told of it. `preconditions`: what it asks within its transaction.
        """
        loop = asyncio.get_running_loop()
        waiting = Waiting(change, loop, loop.create_future(), told, preconditions)
        self._writer.put(waiting)
        return cast("asyncio.Future[T]", waiting.future)

    def close(self) -> None:
        """Finish what waits and end the thread. Safe to call twice."""
        self._writer.close()
        self._checks.shutdown()
        self._forget()

    def _commit(self, group: list[Waiting]) -> None:
        try:
            connection = self._begun()
            if len(group) == 1:  # whatever fails until the commit is its own
                apply_alone(connection, group[0])
            else:
                send(connection)
                for run in _runs(group):
                    self._begin_checks(run)
                    for waiting in run:
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

    def _begin_checks(self, run: Sequence[Waiting]) -> None:
        """Behind the lock, as each would by itself."""
        if len(run) > 1:
            for each in [each for waiting in run for each in waiting.preconditions]:
                each.begin(self._checks)

    def _begun(self) -> Connection:
        """A connection in a transaction that has the lock; a new one where the old one has ended, as by a restart."""
        if self._connection is None or has_been_ended(self._connection):
            self._forget()
            self._connection = self._engine.connect()
        self._connection.begin()
        take_turn(self._connection)
        return self._connection

    def _forget(self) -> None:
        """Let go of the connection, in whatever state it is: the database ends its transaction."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError, Exception):
                connection.invalidate()
            with suppress(Exception):
                connection.close()


def _runs(group: Sequence[Waiting]) -> Iterator[Sequence[Waiting]]:
    """Neighbours with preconditions, which change nothing that one of these is about; every other change by itself."""
    start = 0
    for at, waiting in enumerate(group):
        if not waiting.preconditions:
            yield from filter(None, (group[start:at], group[at : at + 1]))
            start = at + 1
    if start < len(group):
        yield group[start:]
