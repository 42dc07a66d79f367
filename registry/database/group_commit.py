"""Group commit: all changes that wait share one transaction and one sync, yet each fails alone."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine

from registry.database.errors import as_oci_error
from registry.database.precondition import Precondition
from registry.database.statement import raw
from registry.database.writer import WriterThread

T = TypeVar("T")
Change = Callable[[Connection], Any]

LARGEST_GROUP = 128


@dataclass(slots=True)
class Waiting:
    """One change, who waits for it, and how it went.

    `told`: whether what is remembered may end by it. `preconditions`: what it asks of others, which it
    does not change.
    """

    change: Change
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    told: bool = True
    preconditions: Sequence[Precondition] = ()
    result: Any = None
    error: BaseException | None = None

    def deliver(self) -> None:
        """Tell who waits, in the loop of theirs."""
        if self.future.done():  # the caller has gone; the change stands all the same
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class GroupCommit:
    """The writing connection of a database, which one thread uses.

    Args:
        engine: its transactions must take the write lock when they begin.
        committed: called in the writer thread after each commit, before any caller hears of it; what it raises is what
            they hear.

    Raises:
        SQLAlchemyError: the database cannot be opened for writing.
    """

    def __init__(self, engine: Engine, committed: Callable[[Connection], None]) -> None:
        self._engine = engine
        self._committed = committed
        # Here, where a refusal is told: a thread that ended by it would leave every change waiting.
        self._connection = _writing(engine)
        self._writer: WriterThread[Waiting] = WriterThread("metadata-writer", self._commit, largest=LARGEST_GROUP)

    async def submit(self, change: Callable[[Connection], T]) -> T:
        """Run the change in the writer thread; returns when its transaction is durable."""
        loop = asyncio.get_running_loop()
        waiting = Waiting(change, loop, loop.create_future())
        self._writer.put(waiting)
        return cast("T", await waiting.future)

    def close(self) -> None:
        """Finish what waits and end the thread. Safe to call twice."""
        self._writer.close()
        self._connection.close()
        self._engine.dispose()

    def _commit(self, group: list[Waiting]) -> None:
        connection = self._connection
        try:
            with connection.begin():
                for waiting in group:
                    apply_alone(connection, waiting)
            self._committed(connection)
        except Exception as error:  # noqa: BLE001 - whatever broke the transaction broke it for all of them
            for waiting in group:
                waiting.error = waiting.error or as_oci_error(error)
        deliver(group)


def _writing(engine: Engine) -> Connection:
    """A connection that can write: SQLite opens a file for reading alone where it gets no more, and says nothing."""
    connection = engine.connect()
    try:
        with connection.begin() as nothing:
            connection.exec_driver_sql("PRAGMA user_version = 0")  # not even BEGIN IMMEDIATE says so
            nothing.rollback()
    except BaseException:
        connection.close()
        raise
    return connection


def _nothing_more(_connection: Connection) -> None:
    """SQLite has run what was said."""


def apply_alone(connection: Connection, waiting: Waiting, then: Callable[[Connection], None] = _nothing_more) -> None:
    """Run one change, and what comes `then`, in a savepoint of its own: its error is its caller's.

    SQLite ends the whole transaction by itself when the disk is full; then the savepoint is gone, its rollback
    raises, and the group fails together.
    """
    raw(connection, "SAVEPOINT one_change")
    try:
        waiting.result = waiting.change(connection)
        then(connection)
    except Exception as error:  # noqa: BLE001 - it belongs to the caller
        waiting.error = as_oci_error(error)
        raw(connection, "ROLLBACK TO one_change")
    raw(connection, "RELEASE one_change")


def deliver(group: list[Waiting]) -> None:
    """Tell each caller how its change went, in its own loop."""
    for loop in {waiting.loop for waiting in group}:
        own = [waiting for waiting in group if waiting.loop is loop]
        with suppress(RuntimeError):  # the loop has closed: nobody is left to tell
            loop.call_soon_threadsafe(_deliver_all, own)


def _deliver_all(group: list[Waiting]) -> None:
    for waiting in group:
        waiting.deliver()
