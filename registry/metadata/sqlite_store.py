"""A metadata store in one SQLite file: one writer thread with group commit, readers in their callers' threads.

Write-ahead log with synchronous=FULL: a commit is on disk before anybody is told of it. Other processes may read and
write the same file; `BEGIN IMMEDIATE` and the busy timeout put them in a queue.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from registry.database.errors import MetadataDamaged, as_oci_error
from registry.database.file_watch import DatabaseWatch
from registry.database.statement import does_take_room, is_autocommit, raw
from registry.database.writer import GroupCommit
from registry.metadata.blobs import BLOBS_REMOVED
from registry.metadata.principals import PRINCIPALS_CHANGED
from registry.oci.errors import StorageFull, Unavailable

P = ParamSpec("P")
T = TypeVar("T")

BUSY_SECONDS = 20.0
READ_SECONDS = 0.5
# A change made by another process counts after at most so long; asking costs some 20 microseconds.
OTHERS_SECONDS = 0.1


class SqliteStore:
    """Transactions over one SQLite file; see `registry.metadata.store` for the promises.

    Attributes:
        watch: whether the database's files are still there.
        make_room: called when the disk has no room for a change that brings no content; whether another try may help.

    The schema must be in place: `registry.metadata.open_store.open_metadata` sees to that.

    Args:
        path: the database file.
        busy_seconds: how long a change waits for a lock that another process holds.
    """

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self._writer = GroupCommit(connect(path, begin="BEGIN IMMEDIATE", busy_seconds=busy_seconds), self._committed)
        # Only another process that shuts everybody out keeps a look-up waiting, and that in the loop's thread.
        self._reading = connect(path, begin="BEGIN", busy_seconds=min(busy_seconds, READ_SECONDS))
        self._local = threading.local()
        self._open: list[Connection] = []
        self._lock = threading.Lock()
        self._own = 0
        self._own_principals = 0
        self._own_losses = 0
        self.make_room: Callable[[], bool] = lambda: False
        self.watch = DatabaseWatch(path)
        self._others = OtherCommits(path)

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query here and now: a look-up costs less than handing it to another thread."""
        return self.read_now(query, *args, **kwargs)

    async def read_apart(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run it in another thread, which has a connection of its own."""
        return await asyncio.to_thread(partial(self.read_now, query, *args, **kwargs))

    def read_now(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for callers that cannot wait; on the connection of the calling thread."""
        try:
            connection = self._connection()
        except Exception as error:
            raise self._told(as_oci_error(error)) from error
        try:
            if is_autocommit(query):
                return query(connection, *args, **kwargs)
            with connection.begin():
                return query(connection, *args, **kwargs)
        except Exception as error:
            raise self._told(as_oci_error(error)) from error
        finally:
            if connection.in_transaction():  # begun by SQLAlchemy for a statement of its own
                connection.rollback()

    async def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Queue a change for the writer thread and wait until it is durable, in the file that has the name."""
        if self.watch.damage:
            raise Unavailable(self.watch.damage)
        try:
            return await self._submitted(change, *args, **kwargs)
        except MetadataDamaged as error:
            raise self._told(error) from error

    async def _submitted(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._writer.submit(lambda connection: change(connection, *args, **kwargs))
        except StorageFull:
            if does_take_room(change) or not self.make_room():
                raise
        return await self._writer.submit(lambda connection: change(connection, *args, **kwargs))

    def problems(self) -> list[str]:
        """What is wrong with the database: one sentence, or none."""
        found = self.watch.look_inside()
        return [found] if found else []

    def _told(self, error: Exception) -> Exception:
        if isinstance(error, MetadataDamaged):
            self.watch.damaged(error.message)
        return error

    def hold(self) -> None:
        """Have the file open from here on."""
        self._others.hold()

    def generation(self) -> int:
        """Own commits count at once, those of other processes within a tenth of a second."""
        return self._own + self._others.count()

    def principals_generation(self) -> int:
        """Own changes of principals count at once, whatever other processes commit within a tenth of a second."""
        return self._own_principals + self._others.count()

    def losses_generation(self) -> int:
        """Own removals count at once, whatever other processes commit within a tenth of a second."""
        return self._own_losses + self._others.count()

    def close(self) -> None:
        """Finish waiting writes, then close every connection."""
        self._writer.close()
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._others.close()
        self._reading.dispose()

    def _connection(self) -> Connection:
        found: Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._reading.connect()
            found.exec_driver_sql("PRAGMA query_only=ON")
            found.rollback()
            with self._lock:
                self._open.append(found)
        return found

    def _committed(self, connection: Connection) -> None:
        problem = self.watch.problem()
        if problem:
            raise Unavailable(problem)
        self._own += 1
        if connection.info.pop(PRINCIPALS_CHANGED, False):
            self._own_principals += 1
        if connection.info.pop(BLOBS_REMOVED, False):
            self._own_losses += 1


class OtherCommits:
    """Counts the times that another connection was seen to have committed, the store's own writer included."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self._count = 0
        self._version = -1
        self._next_look = 0.0

    def hold(self) -> None:
        """Have the file open without a look: what the store itself commits before the first one does not count."""
        self._version_now()

    def count(self) -> int:
        """The count; asks SQLite at most every `OTHERS_SECONDS`."""
        now = time.monotonic()
        if now >= self._next_look:
            with self._lock:
                self._next_look = now + OTHERS_SECONDS
                self._look()
        return self._count

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._next_look = float("inf")
            self._connection.close()

    def _look(self) -> None:
        version = self._version_now()
        if version != self._version:
            self._version = version
            self._count += 1

    def _version_now(self) -> int:
        found: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return found


def connect(path: Path, *, begin: str, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine over the file whose transactions start with `begin`, and wait so long for a lock."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "isolation_level": None, "timeout": busy_seconds},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        raw(connection, begin)

    return engine
