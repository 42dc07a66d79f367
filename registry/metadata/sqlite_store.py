"""A metadata store in one SQLite file: one writer thread with group commit, readers in their callers' threads.

Write-ahead log with synchronous=FULL: a commit is on disk before anybody is told of it. Other processes may read and
write the same file; `BEGIN IMMEDIATE` and the busy timeout put them in a queue.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from registry.database.errors import MetadataDamaged, as_oci_error
from registry.database.file_watch import DatabaseWatch
from registry.database.group_commit import GroupCommit
from registry.database.other_commits import OtherCommits
from registry.database.sqlite import BUSY_SECONDS, ThreadConnections, connect
from registry.database.statement import does_take_room, is_autocommit
from registry.metadata.blobs import BLOBS_REMOVED
from registry.metadata.scope_maps import PRINCIPALS_CHANGED
from registry.oci.errors import StorageFull, Unavailable

P = ParamSpec("P")
T = TypeVar("T")

READ_SECONDS = 0.5


class SqliteStore:
    """Transactions over one SQLite file; see `registry.metadata.store` for the promises.

    Attributes:
        watch: whether the database's files are still there.
        make_room: called when the disk is full for a change without content; returns whether to retry.

    The schema must exist: `registry.metadata.open_store.open_metadata` creates it.

    Args:
        path: the database file.
        busy_seconds: how long a change waits for a lock that another process holds.
    """

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self._writer = GroupCommit(connect(path, begin="BEGIN IMMEDIATE", busy_seconds=busy_seconds), self._committed)
        # A look-up waits only for another process's exclusive lock, and waits in the event loop's thread.
        self._reading = connect(path, begin="BEGIN", busy_seconds=min(busy_seconds, READ_SECONDS))
        self._connections = ThreadConnections(_only_reads)
        self._apart = ThreadConnections(_reads_apart)
        self._own = 0
        self._own_principals = 0
        self._own_losses = 0
        self.make_room: Callable[[], bool] = lambda: False
        self.watch = DatabaseWatch(path)
        self._others = OtherCommits(path)

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query in this thread: a look-up costs less than a switch to another."""
        return self.read_now(query, *args, **kwargs)

    async def read_apart(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run it in another thread, which has a connection of its own."""
        return await asyncio.to_thread(partial(self._read, self._apart, query, *args, **kwargs))

    def read_now(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for callers that cannot wait; on the connection of the calling thread."""
        return self._read(self._connections, query, *args, **kwargs)

    def _read(
        self,
        connections: ThreadConnections,
        query: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        try:
            connection = connections.of(self._reading)
        except Exception as error:
            raise self._reported(as_oci_error(error)) from error
        try:
            if is_autocommit(query):
                return query(connection, *args, **kwargs)
            with connection.begin():
                return query(connection, *args, **kwargs)
        except Exception as error:
            raise self._reported(as_oci_error(error)) from error
        finally:
            if connection.in_transaction():  # SQLAlchemy began a transaction of its own
                connection.rollback()

    async def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Queue a change for the writer thread and wait until it is durable in the database's file."""
        if self.watch.damage:
            raise Unavailable(self.watch.damage)
        try:
            return await self._submitted(change, *args, **kwargs)
        except MetadataDamaged as error:
            raise self._reported(error) from error

    async def _submitted(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._writer.submit(lambda connection: change(connection, *args, **kwargs))
        except StorageFull:
            if does_take_room(change) or not self.make_room():
                raise
        return await self._writer.submit(lambda connection: change(connection, *args, **kwargs))

    def problems(self) -> list[str]:
        """What is wrong with the database: one sentence, or none."""
        problem = self.watch.look_inside()
        return [problem] if problem else []

    def _reported(self, error: Exception) -> Exception:
        if isinstance(error, MetadataDamaged):
            self.watch.damaged(error.message)
        return error

    def hold(self) -> None:
        """Have the file open from here on."""
        self._others.hold()

    def generation(self) -> int:
        """Own commits count at once, those of other processes within a tenth of a second."""
        return self._own + self._seen()

    def tag_lookups(self) -> None:
        """None: every commit, of other processes too, changes the generation before anybody hears of it."""

    def upload_lookups(self) -> None:
        """None: a read is a function call."""

    def principals_generation(self) -> int:
        """Own changes of principals count at once, whatever other processes commit within a tenth of a second."""
        return self._own_principals + self._seen()

    def losses_generation(self) -> int:
        """Own removals count at once, whatever other processes commit within a tenth of a second."""
        return self._own_losses + self._seen()

    def leads(self) -> bool:
        """Always: a data folder has one server."""
        return True

    def _seen(self) -> int:
        try:
            return self._others.count()
        except sqlite3.Error as error:
            raise self._reported(as_oci_error(error)) from error

    def close(self) -> None:
        """Finish waiting writes, then close every connection."""
        self._writer.close()
        self._connections.close()
        self._apart.close()
        self._others.close()
        self._reading.dispose()

    def _committed(self, connection: Connection) -> None:
        problem = self.watch.problem()
        if problem:
            raise Unavailable(problem)
        self._own += 1
        if connection.info.pop(PRINCIPALS_CHANGED, False):
            self._own_principals += 1
        if connection.info.pop(BLOBS_REMOVED, False):
            self._own_losses += 1


def _only_reads(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA query_only=ON")
    connection.rollback()


def _reads_apart(connection: Connection) -> None:
    """For one of several threads, each of which would keep 2 MiB of pages."""
    connection.exec_driver_sql("PRAGMA cache_size=-256")
    _only_reads(connection)
