"""What tags stand for, asked of the database for each request, and in one question for all that ask at once.

A read takes only the answer to a question that was put after the read began: so it sees whatever was acknowledged
before, and a tag of several nodes is one register (docs/adr/0074-nodes-ask-what-a-tag-stands-for.md). One question is
on its way at most; who comes meanwhile waits for the next (docs/adr/0076-reads-of-tags-share-a-question.md).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog

from registry.database.errors import as_oci_error
from registry.metadata.manifests import ManifestRow
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

MOST = 512
"""Tags of one question."""
_LOOK_SECONDS = 0.25
STATEMENT = """
SELECT asked.place, repositories.id IS NOT NULL, found.digest, found.media_type, found.size,
  EXISTS (SELECT FROM locks WHERE locks.repository_id = repositories.id AND locks.reads), pg_current_snapshot()
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked(repository, tag, place)
LEFT JOIN repositories ON repositories.name = asked.repository
LEFT JOIN LATERAL (
  SELECT manifests.digest, manifests.media_type, manifests.size FROM tags
  JOIN manifests ON manifests.repository_id = tags.repository_id AND manifests.digest = tags.digest
  WHERE tags.repository_id = repositories.id AND tags.name = asked.tag
) AS found ON true
"""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What a tag stands for.

    Attributes:
        is_repository: whether the repository exists.
        row: the manifest, if there is one.
        snapshot: names what had been committed when the question was answered; the same name, the same rows, of all
            tables (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT).
    """

    is_repository: bool
    row: ManifestRow | None
    snapshot: bytes


Key = tuple[RepositoryName, Tag]
NOTHING: Key = (RepositoryName(""), Tag(""))
"""Asked for by who wants to know the snapshot alone."""
Answered = Callable[[Tagged | Exception], None]
"""Called in the event loop, once, and never before the question was put."""


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


class TagLookups:
    """The look-ups of one event loop.

    Args:
        source: where questions go.
        loop: the event loop.

    Attributes:
        snapshot: the last that was heard of; `None` before the first.
    """

    def __init__(self, source: Source, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._loop = loop
        self.snapshot: bytes | None = None
        self._query: Query | None = None
        self._waiting: dict[Key, list[Answered]] = {}
        self._asked: dict[Key, list[Answered]] = {}
        self._is_asking = self._is_connecting = self._is_looking = False

    def ask(self, repository: RepositoryName, tag: Tag, answered: Answered) -> None:
        """Have `answered` called with what the tag stands for, or with the error that says why nobody knows."""
        key = (repository, tag)
        others = self._waiting.get(key)
        if others is not None:
            others.append(answered)
            return
        self._waiting[key] = [answered]
        if not self._is_asking:
            self._is_asking = True
            # Not at once: who is heard in the same turn of the loop comes along.
            self._loop.call_soon(self._put)

    async def find(self, repository: RepositoryName, tag: Tag) -> Tagged:
        """What the tag stands for. Raises Unavailable when the database does not say."""
        self._source.require_heard()
        future: asyncio.Future[Tagged] = self._loop.create_future()
        self.ask(repository, tag, partial(_deliver, future))
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
        names = [_array(repository for repository, _ in self._asked), _array(tag for _, tag in self._asked)]
        self._query.ask(names, self._answered)

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
        self.snapshot = answer[0][-1]
        for (_, waiting), row in zip(asked.items(), sorted(answer, key=_place), strict=True):
            found = _tagged(row)
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


def _deliver(future: "asyncio.Future[Tagged]", found: Tagged | Exception) -> None:
    if future.done():  # the caller has gone; the others wait for the same answer all the same
        return
    if isinstance(found, Exception):
        future.set_exception(found)
    else:
        future.set_result(found)


def _tell(answered: Answered, found: Tagged | Exception) -> None:
    try:
        answered(found)
    except Exception:  # noqa: BLE001 - what one does with the answer is no affair of the others
        structlog.get_logger(__name__).exception("an answer about a tag was not taken")


def _array(names: Any) -> bytes:
    """Names have neither quotes nor backslashes."""
    return b'{"%s"}' % '","'.join(names).encode("ascii")


def _place(row: Any) -> int:
    return int(row[0])


def _tagged(row: Any) -> Tagged:
    _, is_repository, digest, media_type, size, may_be_locked, snapshot = row
    if digest is None:
        return Tagged(is_repository == b"t", None, snapshot)
    found = ManifestRow(Digest(digest.decode()), media_type.decode(), int(size), may_be_locked == b"t")
    return Tagged(is_repository=True, row=found, snapshot=snapshot)
