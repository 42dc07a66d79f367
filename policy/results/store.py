"""policy.db: an SQLite database that may be thrown away. Reads are immediate, writes follow behind in batches.

A write that is lost with the process costs a computation, not an answer, so nobody waits for the disk: WAL with
synchronous=NORMAL, and one thread that commits whatever has been asked for meanwhile in one transaction.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection

from policy.results.file import Opened, ResultsFile, is_damage

FILE = "policy.db"
_BATCH = 500
_GATHER_SECONDS = 0.1
"""How long changes are gathered for which nobody waits: waking the writer for each costs more than the change."""

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(slots=True)
class _Change:
    """One change, and who may wait for it."""

    change: Callable[[Connection], Any]
    done: Future[Any] = field(default_factory=Future)

    def make(self, connection: Connection) -> Any:
        return self.change(connection)

    def each(self) -> "list[_Asked]":
        return [self]

    @property
    def is_told(self) -> bool:
        return self.done.done()

    def tell(self, answer: Any) -> None:
        self.done.set_result(answer)

    def fail(self, error: Exception) -> None:
        self.done.set_exception(error)


@dataclass(slots=True)
class _Gathered:
    """Items of additions for which nobody waits, by what adds them."""

    items: dict[Callable[[Connection, Any], Any], list[Any]] = field(default_factory=dict)
    size: int = 0

    def take(self, add: Callable[[Connection, Any], Any], item: Any) -> None:
        self.items.setdefault(add, []).append(item)
        self.size += 1

    def make(self, connection: Connection) -> None:
        for add, items in self.items.items():
            add(connection, items)

    def each(self) -> "list[_Asked]":
        return [_Gathered({add: [item]}) for add, items in self.items.items() for item in items]

    @property
    def is_told(self) -> bool:
        """Adding it again does no harm."""
        return False

    def tell(self, answer: Any) -> None:
        """Nobody listens."""

    def fail(self, error: Exception) -> None:
        """Nobody listens; it was logged."""


_Asked = _Change | _Gathered


class ResultStore:
    """Queries and changes are plain functions of a connection, as in the metadata store.

    A file that turns out to be damaged, in whatever page or row, is thrown away at once and begun anew: the question is
    asked again, and finds that nothing is known.
    """

    def __init__(self, path: Path) -> None:
        """Open the database; one of another version, or one that is damaged, is thrown away and begun anew."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = ResultsFile(path)
        self._local = threading.local()
        self._open: list[Connection] = []
        self._lock = threading.Lock()
        self._waiting: list[_Asked] = []
        self._closed = False
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._writer = threading.Thread(target=self._write_all, name="results", daemon=True)
        self._writer.start()

    def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query now, in this thread and on its own connection."""
        opened = self._file.opened
        try:
            return query(self._connection(opened), *args, **kwargs)
        except Exception as error:
            if not is_damage(error):
                raise
            self._file.begin_anew(opened, error)
            return query(self._connection(self._file.opened), *args, **kwargs)

    def later(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a change made soon; the future tells when, and nobody needs to wait for it."""
        asked = _Change(lambda connection: change(connection, *args, **kwargs))
        with self._lock:
            self._waiting.append(asked)
        self._wake.set()
        return asked.done

    def gather(self, add: Callable[[Connection, Sequence[Item]], object], item: Item) -> None:
        """Have an item added soon, in one call with others of its kind.

        Changes asked for later come after it, earlier ones before it; additions of different kinds come in any order.
        """
        with self._lock:
            last = self._waiting[-1] if self._waiting else None
            if not isinstance(last, _Gathered) or last.size == _BATCH:
                last = _Gathered()
                self._waiting.append(last)
            last.take(add, item)
            if not self._wake.is_set():
                self._wake.set()

    def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a change and wait until it is committed."""
        done = self.later(change, *args, **kwargs)
        self._hurry.set()
        return done.result()

    def settle(self) -> None:
        """Wait until everything that was asked for is committed: for questions about the whole store."""
        self.write(lambda _connection: None)

    def close(self) -> None:
        """Finish what was asked for and let go of the database."""
        with self._lock:
            self._closed = True
        self._hurry.set()
        self._wake.set()
        self._writer.join()
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._file.close()

    def _connection(self, opened: Opened) -> Connection:
        known: tuple[Opened, Connection] | None = getattr(self._local, "connection", None)
        if known is not None and known[0] is opened:
            return known[1]
        found = opened.reading.connect()
        self._local.connection = opened, found
        with self._lock:
            self._open.append(found)
        return found

    def _write_all(self) -> None:
        ended = False
        while not ended:
            opened = self._file.opened
            try:
                with opened.engine.connect() as connection:
                    ended = self._write_on(connection, opened)
            except Exception as error:
                if not is_damage(error):
                    raise
                self._file.begin_anew(opened, error)

    def _write_on(self, connection: Connection, opened: Opened) -> bool:
        """Write until the end was asked for, or the file is another (`False`)."""
        while self._wake.wait():
            self._hurry.wait(_GATHER_SECONDS)
            if self._file.opened is not opened:
                return False
            batch, ended = self._taken()
            try:
                if batch:
                    self._commit(connection, batch)
            except Exception:  # damage: what was asked for is asked of the new file
                self._put_back(batch)
                raise
            if ended:
                return True
        return True

    def _put_back(self, batch: "list[_Asked]") -> None:
        with self._lock:
            self._waiting = [asked for asked in batch if not asked.is_told] + self._waiting
        self._wake.set()

    def _taken(self) -> tuple[list[_Asked], bool]:
        """What waits, up to a batch of it; and whether nothing will come any more."""
        with self._lock:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            ended = self._closed and not self._waiting
            if not self._waiting and not self._closed:
                self._wake.clear()
                self._hurry.clear()
            return batch, ended

    def _commit(self, connection: Connection, batch: list[_Asked]) -> None:
        try:
            with connection.begin():
                answers = [asked.make(connection) for asked in batch]
        except Exception as error:
            if is_damage(error):
                raise
            each = [one for asked in batch for one in asked.each()]
            if len(each) > 1:
                for one in each:
                    self._commit(connection, [one])
                return
            structlog.get_logger(__name__).warning("policy.db could not be written", reason=str(error))
            batch[0].fail(error)
            return
        for asked, answer in zip(batch, answers, strict=True):
            asked.tell(answer)
