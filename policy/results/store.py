"""policy.db: an SQLite database that may be thrown away. Reads are immediate, writes follow behind in batches.

A write that is lost with the process costs a computation, not an answer, so nobody waits for the disk: WAL with
synchronous=NORMAL, and one thread that commits whatever has been asked for meanwhile in one transaction.
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
"""How long changes are gathered for which nobody waits: waking the writer for each costs more than the change."""

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(slots=True)
class _Change:
    """One change, and who may wait for it."""

    change: Callable[[Connection], Any]
    done: Future[Any] = field(default_factory=Future)


_Addition = tuple[Callable[[Connection, Any], Any], Any]
"""What adds items, and an item for which nobody waits."""
_Asked = _Change | _Addition


class ResultStore:
    """Queries and changes are plain functions of a connection, as in the metadata store.

    A file that turns out to be damaged, in whatever page or row, is thrown away at once and begun anew: the question is
    asked again, and finds that nothing is known.
    """

    def __init__(self, path: Path) -> None:
        """Open the database; one of another version, or one that is damaged, is thrown away and begun anew."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = ResultsFile(path)
        self._connections = ThreadConnections()
        self._writer: WriterThread[_Asked] = WriterThread(
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
            self._file.begin_anew(opened, error)
            return query(self._connections.of(self._file.opened.reading), *args, **kwargs)

    def later(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a change made soon; the future tells when, and nobody needs to wait for it."""
        asked = _Change(lambda connection: change(connection, *args, **kwargs))
        self._writer.put(asked)
        return asked.done

    def gather(self, add: Callable[[Connection, Sequence[Item]], object], item: Item) -> None:
        """Have an item added soon, in one call with others of its kind.

        Changes asked for later come after it, earlier ones before it; additions of different kinds come in any order.
        """
        self._writer.put((add, item))

    def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a change and wait until it is committed."""
        done = self.later(change, *args, **kwargs)
        self._writer.hurry()
        return done.result()

    def settle(self) -> None:
        """Wait until everything that was asked for is committed: for questions about the whole store."""
        self.write(lambda _connection: None)

    def close(self) -> None:
        """Finish what was asked for and let go of the database."""
        self._writer.close()
        self._connections.close()
        self._file.close()

    def _commit_group(self, group: list[_Asked]) -> None:
        """Commit it, in another file when this one turns out to be damaged: adding something again does no harm."""
        left = group
        while left:
            opened = self._file.opened
            try:
                self._commit(self._connections.of(opened.engine), left)
            except Exception as error:  # noqa: BLE001  the thread goes on, whoever waits is told
                left = [asked for asked in left if not _is_told(asked)]
                if not is_damage(error):
                    _fail(left, error)
                    return
                self._file.begin_anew(opened, error)
            else:
                return

    def _commit(self, connection: Connection, asked: list[_Asked]) -> None:
        """One transaction for all; where that fails, one for each. Raises what tells of damage."""
        try:
            with connection.begin():
                answers = _made(connection, asked)
        except Exception as error:
            if is_damage(error):
                raise
            if len(asked) == 1:
                structlog.get_logger(__name__).warning("policy.db could not be written", reason=str(error))
                _fail(asked, error)
            else:
                for one in asked:
                    self._commit(connection, [one])
            return
        for done, answer in answers:
            done.set_result(answer)


def _made(connection: Connection, asked: Iterable[_Asked]) -> list[tuple[Future[Any], Any]]:
    """Make changes in their order, with their answers. Items that stand together are added at once, by kind."""
    answers: list[tuple[Future[Any], Any]] = []
    gathered: dict[Callable[[Connection, Any], Any], list[Any]] = {}
    for one in asked:
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


def _is_told(asked: _Asked) -> bool:
    return isinstance(asked, _Change) and asked.done.done()


def _fail(asked: Iterable[_Asked], error: Exception) -> None:
    for one in asked:
        if isinstance(one, _Change):
            one.done.set_exception(error)
