"""Writing behind: changes of results gather in a queue, and one thread makes them in shared transactions."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from registry.database.writer import WriterThread

_BATCH = 500
_GATHER_SECONDS = 0.1
"""How long changes that nobody waits for are gathered: waking the writer for each costs more than the change."""

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
_Answers = list[tuple[Future[Any], Any]]
Transact = Callable[[Callable[[Connection], _Answers]], _Answers]


class BegunAnew(Exception):
    """The results were damaged and are empty now: what was to be changed is tried again."""


class WriteBehind:
    """The changes of one store.

    Args:
        transact: runs a function in one transaction, commits and returns its answer; raises `BegunAnew` when the
            results were damaged, and anything else when nothing was changed.
    """

    def __init__(self, transact: Transact) -> None:
        self._transact = transact
        self._writer: WriterThread[_Pending] = WriterThread(
            "results", self._commit_group, largest=_BATCH, gather_seconds=_GATHER_SECONDS
        )

    def later(self, change: Callable[[Connection], T]) -> "Future[T]":
        """Make a change soon."""
        pending = _Change(change)
        self._writer.put(pending)
        return pending.done

    def gather(self, add: Callable[[Connection, Sequence[Item]], object], item: Item) -> None:
        """Add an item soon, in one call with others of its kind."""
        self._writer.put((add, item))

    def now(self, change: Callable[[Connection], T]) -> "Future[T]":
        """`later` for somebody who waits."""
        done = self.later(change)
        self._writer.hurry()
        return done

    def close(self) -> None:
        """Commit what is pending."""
        self._writer.close()

    def _commit_group(self, group: list[_Pending]) -> None:
        """Commit a group, begun anew when the results are damaged: adding an item again does no harm."""
        left = group
        while left:
            try:
                self._commit(left)
            except BegunAnew:
                left = [pending for pending in left if not _is_resolved(pending)]
            else:
                return

    def _commit(self, pending: list[_Pending]) -> None:
        """Commit all in one transaction; if that fails, each in its own. Raises BegunAnew."""
        try:
            answers = self._transact(lambda connection: _apply(connection, pending))
        except BegunAnew:
            raise
        except Exception as error:  # noqa: BLE001  the thread goes on, the futures get the error
            if len(pending) == 1:
                structlog.get_logger(__name__).warning("results could not be written", reason=str(error))
                _fail(pending, error)
            else:
                for one in pending:
                    self._commit([one])
            return
        for done, answer in answers:
            done.set_result(answer)


def _apply(connection: Connection, pending: Iterable[_Pending]) -> _Answers:
    """Apply changes in order; returns their futures with results. Consecutive items are added at once, by kind."""
    answers: _Answers = []
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
