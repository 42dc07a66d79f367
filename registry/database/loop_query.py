"""One statement on a connection of its own that an event loop drives: no thread waits for its answer.

A turn of a thread costs as much as the statement, and SQLAlchemy and the driver's cursors as much again; so this speaks
to libpq itself (https://www.psycopg.org/psycopg3/docs/api/pq.html). The statement is prepared once, and its plan made
once: it must be one that goes by indexes whatever the tables hold, and the session is told so.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, ExecStatus

from registry.database.postgres import READING, Database

_NAME = b"asked"
_BY_INDEX = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""A plan that was made for empty tables stays when they have grown."""

Rows = list[Any]
Answered = Callable[[Rows | Exception], None]


class LoopQuery:
    """The statement and its connection. Everything but `connected` runs in the thread of the loop.

    Args:
        connection: from `connected`.
        loop: that drives it.
    """

    def __init__(self, connection: "psycopg.Connection[Any]", loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._loop = loop
        self._libpq = connection.pgconn
        self._libpq.nonblocking = 1
        self._descriptor = connection.fileno()
        self._answered: Answered | None = None
        self._rows: Rows = []
        self._error: Exception | None = None
        loop.add_reader(self._descriptor, self._readable)

    @property
    def is_open(self) -> bool:
        """Whether it can be asked: the database may have ended the connection."""
        return not self._connection.closed

    def ask(self, parameters: Sequence[bytes], answered: Answered) -> None:
        """Run the statement; `answered` gets its rows, of texts as bytes or `None`, or the error. One at a time."""
        self._answered, self._rows, self._error = answered, [], None
        try:
            self._libpq.send_query_prepared(_NAME, parameters)
            self._send()
        except psycopg.Error as error:
            # Not now: whoever asks is not ready for an answer.
            self._loop.call_soon(self._break, error)

    def close(self) -> None:
        """Let go of the connection; nobody is answered any more."""
        self._answered = None
        with suppress(RuntimeError):  # the loop has ended
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
        self._connection.close()

    def _send(self) -> None:
        if self._libpq.flush():
            self._loop.add_writer(self._descriptor, self._writable)

    def _writable(self) -> None:
        self._loop.remove_writer(self._descriptor)
        with suppress(psycopg.Error):  # met again by whoever reads
            self._send()

    def _readable(self) -> None:
        try:
            self._libpq.consume_input()
            while self._answered is not None and not self._libpq.is_busy():
                result = self._libpq.get_result()
                if result is None:
                    self._end()
                elif result.status == ExecStatus.TUPLES_OK:
                    self._rows = _rows_of(result)
                else:
                    self._error = psycopg.errors.error_from_result(result)
            if self._libpq.status == ConnStatus.BAD:
                self._break(psycopg.OperationalError("the connection was closed"))
        except psycopg.Error as error:
            self._break(error)

    def _end(self) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(self._error or self._rows)

    def _break(self, error: Exception) -> None:
        answered = self._answered
        self.close()
        if answered is not None:
            answered(self._error or error)


def connected(database: Database, statement: str) -> "psycopg.Connection[Any]":
    """A connection that has the statement prepared; for a thread, which waits. Raises psycopg.Error."""
    connection = database.connect(READING | _BY_INDEX, autocommit=True)
    prepared = connection.pgconn.prepare(_NAME, statement.encode())
    if prepared.status == ExecStatus.COMMAND_OK:
        return connection
    connection.close()
    raise psycopg.errors.error_from_result(prepared)


def _rows_of(result: Any) -> Rows:
    columns = range(result.nfields)
    return [tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples)]
