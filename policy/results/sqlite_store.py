"""policy.db: results in an SQLite file; see `policy.results.store` for the promises.

A power failure may lose the last writes, not the file: WAL with synchronous=NORMAL.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from policy.results.counters import FORGOTTEN, counted
from policy.results.file import ResultsFile, is_damage
from policy.results.layer_turns import OwnTurns
from policy.results.write_behind import BegunAnew, WriteBehind
from registry.database.sqlite import ThreadConnections

FILE = "policy.db"

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")


class SqliteResults:
    """Results in a file, which several processes may have open.

    A file that turns out to be damaged, in any page or row, is replaced by an empty one at once, and the query runs
    again.
    """

    def __init__(self, path: Path) -> None:
        """Open the database; one of another version, or a damaged one, is replaced by an empty one."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = ResultsFile(path)
        self._connections = ThreadConnections(_few_pages_beside_the_loop)
        self._writing = ThreadConnections()
        self._behind = WriteBehind(self._transact)

    def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query now, in this thread and on its own connection."""
        opened = self._file.opened
        try:
            return query(self._connections.of(opened.reading), *args, **kwargs)
        except Exception as error:
            if not is_damage(error):
                raise
            self._file.recreate(opened, error)
            return query(self._connections.of(self._file.opened.reading), *args, **kwargs)

    def later(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Make a change soon."""
        return self._behind.later(lambda connection: change(connection, *args, **kwargs))

    def gather(self, add: Callable[[Connection, Sequence[Item]], object], item: Item) -> None:
        """Add an item soon."""
        self._behind.gather(add, item)

    def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a change and wait until it is committed."""
        return self._behind.now(lambda connection: change(connection, *args, **kwargs)).result()

    def settle(self) -> None:
        """Wait until everything pending is committed."""
        self.write(lambda _connection: None)

    def generation(self) -> int:
        """How often a new inspection was asked for, by any process. Costs a read."""
        return self.read(counted, FORGOTTEN)

    def layer_turns(self, detectors: str) -> OwnTurns:  # noqa: ARG002
        """One process inspects for a folder; a command beside it repeats what it needs."""
        return OwnTurns()

    def close(self) -> None:
        """Commit what is pending and close the database."""
        self._behind.close()
        self._connections.close()
        self._writing.close()
        self._file.close()

    def _transact(self, work: Callable[[Connection], T]) -> T:
        opened = self._file.opened
        connection = self._writing.of(opened.engine)
        try:
            with connection.begin():
                return work(connection)
        except Exception as error:
            if not is_damage(error):
                raise
            self._file.recreate(opened, error)
            raise BegunAnew from error


def _few_pages_beside_the_loop(connection: Connection) -> None:
    """For one of several threads, each of which would keep 512 KiB of pages; the event loop's reads all the time."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        connection.exec_driver_sql("PRAGMA cache_size=-128")
        connection.rollback()
