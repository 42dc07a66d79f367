"""policy.db: an SQLite database that can be computed again. Reads are immediate; writes follow in batches.

A write that is lost with the process only costs a computation, so nobody waits for the disk: WAL with
synchronous=NORMAL, and one thread that commits all pending changes in one transaction.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection

from policy.results.file import ResultsFile, is_damage
from registry.database.sqlite import ThreadConnections
from registry.database.writer import WriterThread

FILE = "policy.db"
_BATCH = 500
_GATHER_SECONDS = 0.1
"""How long changes that nobody waits for are gathered: waking the writer for each costs more than the change."""

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(slots=True)
class _Change:
    """One change, and the future of its result."""

    change: Callable[[Connection], Any]
    done: Future[Any] = field(default_factory=Future)


_Addition = tuple[Callable[[Connection, Any], Any], Any]
"""A function that adds items, and an item that nobody waits for."""
_Pending = _Change | _Addition


class ResultStore:
    """Queries and changes are plain functions of a connection, as in the metadata store.

    A file that turns out to be damaged, in any page or row, is replaced by an empty one at once, and the query runs
    again.
    """

    def __init__(self, path: Path) -> None:
        """Open the database; one of another version, or a damaged one, is replaced by an empty one."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = ResultsFile(path)
        self._connections = ThreadConnections()
        self._writer: WriterThread[_Pending] = WriterThread(
            "results", self._commit_group, largest=_BATCH, gather_seconds=_GATHER_SECONDS
        )

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
        """Make a change soon; the future gives its result, and nobody needs to wait for it."""
        pending = _Change(lambda connection: change(connection, *args, **kwargs))
        self._writer.put(pending)
        return pending.done

    def gather(self, add: Callable[[Connection, Sequence[Item]], object], item: Item) -> None:
        """Add an item soon, in one call with others of its kind.

        Earlier changes come before it, later ones after it; additions of different kinds come in any order.
        """
        self._writer.put((add, item))

    def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a change and wait until it is committed."""
        done = self.later(change, *args, **kwargs)
        self._writer.hurry()
        return done.result()

    def settle(self) -> None:
        """Wait until everything pending is committed: for queries over the whole store."""
        self.write(lambda _connection: None)

    def close(self) -> None:
        """Commit what is pending and close the database."""
        self._writer.close()
        self._connections.close()
        self._file.close()

    def _commit_group(self, group: list[_Pending]) -> None:
        """Commit a group, in a new file when this one is damaged: adding an item again does no harm."""
        left = group
        while left:
            opened = self._file.opened
            try:
                self._commit(self._connections.of(opened.engine), left)
            except Exception as error:  # noqa: BLE001  the thread goes on, the futures get the error
                left = [pending for pending in left if not _is_resolved(pending)]
                if not is_damage(error):
                    _fail(left, error)
                    return
                self._file.recreate(opened, error)
            else:
                return

    def _commit(self, connection: Connection, pending: list[_Pending]) -> None:
        """Commit all in one transaction; if that fails, each in its own. Raises errors that mean damage."""
        try:
            with connection.begin():
                answers = _apply(connection, pending)
        except Exception as error:
            if is_damage(error):
                raise
            if len(pending) == 1:
                structlog.get_logger(__name__).warning("policy.db could not be written", reason=str(error))
                _fail(pending, error)
            else:
                for one in pending:
                    self._commit(connection, [one])
            return
        for done, answer in answers:
            done.set_result(answer)


def _apply(connection: Connection, pending: Iterable[_Pending]) -> list[tuple[Future[Any], Any]]:
    """Apply changes in order; returns their futures with results. Consecutive items are added at once, by kind."""
    answers: list[tuple[Future[Any], Any]] = []
    gathered: dict[Callable[[Connection, Any], Any], list[Any]] = {}
    for one in pending:
        if isinstance(one, _Change):
            _add(connection, gathered)
            answers.append((one.done, one.change(connection)))
        else:
            gathered.setdefault(one[0], []).append(one[1])
    _add(connection, gathered)
    return answers


def _add(connection: Connection, gathered: dict[Callable[[Connection, Any], Any], list[Any]]) -> None:
    for add, items in gathered.items():
        add(connection, items)
    gathered.clear()


def _is_resolved(pending: _Pending) -> bool:
    return isinstance(pending, _Change) and pending.done.done()


def _fail(pending: Iterable[_Pending], error: Exception) -> None:
    for one in pending:
        if isinstance(one, _Change):
            one.done.set_exception(error)
