"""Questions of one statement that share a round trip: what is asked while one is on its way comes with the next.

Who asks takes only the answer to a question that was put after he came: so he sees whatever was acknowledged before.
One question is on its way at most (docs/adr/0076-reads-of-tags-share-a-question.md).
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import structlog

from registry.database.errors import as_oci_error

K = TypeVar("K", bound=Hashable)
A = TypeVar("A")

MOST = 512
"""Keys of one question."""
_LOOK_SECONDS = 0.25


class Query(Protocol):
    """The statement and its connection; see `registry.database.loop_query`."""

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        ...

    def ask(self, parameters: list[bytes], answered: Callable[[list[Any] | Exception], None]) -> None:
        """Run the statement."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """Where questions go.

    Attributes:
        connect: makes a connection; in a thread, for it waits.
        drive: has the event loop drive what `connect` has made.
        threads: for `connect`.
        require_heard: raises Unavailable when the database has been silent for too long.
    """

    connect: Callable[[], Any]
    drive: Callable[[Any, asyncio.AbstractEventLoop], Query]
    threads: Executor
    require_heard: Callable[[], None]


class SharedQuestion(ABC, Generic[K, A]):
    """The questions of one event loop.

    Args:
        source: where questions go.
        loop: the event loop.
    """

    def __init__(self, source: Source, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._loop = loop
        self._query: Query | None = None
        self._waiting: dict[K, list[Callable[[A | Exception], None]]] = {}
        self._asked: dict[K, list[Callable[[A | Exception], None]]] = {}
        self._is_asking = self._is_connecting = self._is_looking = False

    @abstractmethod
    def _parameters(self, keys: Iterable[K]) -> list[bytes]:
        """What the statement is given."""

    @abstractmethod
    def _take(self, rows: list[Any]) -> Sequence[A]:
        """What it has answered for each key, in their order."""

    def ask_for(self, key: K, answered: Callable[[A | Exception], None]) -> None:
        """Have `answered` called with the answer for a key, or with the error that says why nobody knows.

        In the event loop, once, and never before the question was put.
        """
        others = self._waiting.get(key)
        if others is not None:
            others.append(answered)
            return
        self._waiting[key] = [answered]
        if not self._is_asking:
            self._is_asking = True
            # Not at once: who is heard in the same turn of the loop comes along.
            self._loop.call_soon(self._put)

    async def answer_for(self, key: K) -> A:
        """The answer for a key. Raises Unavailable when the database does not say."""
        self._source.require_heard()
        future: asyncio.Future[A] = self._loop.create_future()
        self.ask_for(key, partial(_deliver, future))
        return await future

    def renew(self) -> None:
        """Ask on another connection: this one is from before the database was away. For any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._renew)

    def close(self) -> None:
        """Let go of the connection."""
        query, self._query = self._query, None
        if query is not None:
            query.close()

    def _renew(self) -> None:
        self.close()
        for key, waiting in self._asked.items():
            self._waiting.setdefault(key, []).extend(waiting)
        self._asked = {}
        self._put()

    def _put(self) -> None:
        """Put the next question, if anybody waits and none is on its way."""
        if self._asked:
            return
        self._is_asking = bool(self._waiting)
        if not self._is_asking:
            return
        self._look_again()
        if self._query is None or not self._query.is_open:
            self._connect()
            return
        if len(self._waiting) <= MOST:
            self._asked, self._waiting = self._waiting, {}
        else:
            self._asked = {key: self._waiting.pop(key) for key in list(self._waiting)[:MOST]}
        self._query.ask(self._parameters(self._asked), self._answered)

    def _connect(self) -> None:
        if self._is_connecting:
            return
        try:
            connecting = self._loop.run_in_executor(self._source.threads, self._source.connect)
        except RuntimeError as error:  # the store is closed
            self._fail_all(error)
            return
        self._is_connecting = True
        connecting.add_done_callback(self._connected)

    def _connected(self, connecting: "asyncio.Future[Any]") -> None:
        self._is_connecting = False
        error = connecting.exception()
        if error is None:
            self.close()
            self._query = self._source.drive(connecting.result(), self._loop)
            self._put()
        else:
            self._fail_all(error)

    def _answered(self, answer: list[Any] | Exception) -> None:
        if isinstance(answer, Exception):
            self._fail(answer)
            return
        asked, self._asked = self._asked, {}
        for waiting, found in zip(asked.values(), self._take(sorted(answer, key=_place)), strict=True):
            for each in waiting:
                _tell(each, found)
        # Two turns later: clients that ask again at once share one question with those that wait already.
        self._loop.call_soon(self._loop.call_soon, self._put)

    def _fail_all(self, error: BaseException) -> None:
        """Tell all, whether their question was put or not."""
        for key, waiting in self._waiting.items():
            self._asked.setdefault(key, []).extend(waiting)
        self._waiting = {}
        self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Tell all whose question was on its way."""
        asked, self._asked = self._asked, {}
        refusal = as_oci_error(error) if isinstance(error, Exception) else RuntimeError(str(error))
        self._put()
        for waiting in asked.values():
            for each in waiting:
                _tell(each, refusal)

    def _look_again(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """Nobody waits for a database that is silent."""
        self._is_looking = False
        if not self._is_asking:
            return
        self._look_again()
        try:
            self._source.require_heard()
        except Exception as error:  # noqa: BLE001 - it belongs to who waits
            self.close()
            self._fail_all(error)


def array(texts: Iterable[str]) -> bytes:
    """An array of texts that have neither quotes nor backslashes, as PostgreSQL reads it."""
    return b'{"%s"}' % '","'.join(texts).encode("ascii")


def _deliver(future: "asyncio.Future[A]", found: A | Exception) -> None:
    if future.done():  # the caller has gone; the others wait for the same answer all the same
        return
    if isinstance(found, Exception):
        future.set_exception(found)
    else:
        future.set_result(found)


def _tell(answered: Callable[[A | Exception], None], found: A | Exception) -> None:
    try:
        answered(found)
    except Exception:  # noqa: BLE001 - what one does with the answer is no affair of the others
        structlog.get_logger(__name__).exception("an answer of the database was not taken")


def _place(row: Any) -> int:
    return int(row[0])
