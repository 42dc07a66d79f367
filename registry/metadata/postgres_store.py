"""A metadata store in a PostgreSQL database, which several nodes share; see `registry.metadata.store` for the promises.

Look-ups run in threads, each on a connection of a pool; changes on one connection of each node, one node at a time. A
commit of another node counts when the database has told of it, within milliseconds. When the database has not answered
for `silence_seconds`, everything is refused at once (503), until it answers again.
"""

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine

from registry.database.errors import as_oci_error
from registry.database.loop_query import LoopQuery, connected
from registry.database.postgres import Database, engine_of, read_from
from registry.database.postgres_errors import RETRY
from registry.database.postgres_writer import PostgresWriter
from registry.database.postponed import postpone
from registry.database.precondition import preconditions_in
from registry.database.pulse import CHANNEL, TELL, Pulse
from registry.database.shared_question import Source
from registry.database.statement import is_autocommit, is_heard_by_all, is_untold
from registry.metadata import hearing, tag_lookups, upload_lookups
from registry.metadata.blobs import BLOBS_REMOVED
from registry.metadata.hearing import Hearing
from registry.metadata.scope_maps import PRINCIPALS_CHANGED
from registry.metadata.tag_lookups import TagLookups
from registry.metadata.upload_lookups import UploadLookups
from registry.oci.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

CONNECTIONS = 8
SILENCE_SECONDS = 1.0
_LOOK_SECONDS = 0.25


class PostgresStore:
    """Transactions over one PostgreSQL database.

    The schema must exist: `registry.metadata.open_postgres.open_postgres` creates it.

    Args:
        database: where it is.
        connections: for look-ups, at most; one more writes, two ask for tags and uploads, and one listens.
        silence_seconds: after so long without an answer the database counts as away.
    """

    def __init__(
        self, database: Database, connections: int = CONNECTIONS, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self._node = uuid.uuid4().hex
        self._seen, self._seen_principals, self._seen_losses = 0, 0, 0
        self._flags = ""
        self._silence_seconds = silence_seconds
        self._reading = engine_of(database, connections, reads=True)
        self._single = self._reading.execution_options(isolation_level="AUTOCOMMIT")
        self._writing = engine_of(database, 1)
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="metadata")
        self._database = database
        self._lookups: dict[asyncio.AbstractEventLoop, tuple[TagLookups, UploadLookups]] = {}
        self._hearing = Hearing(silence_seconds, self._answer)
        self._pulse = Pulse(database, self._told, silence_seconds)
        self._writer = PostgresWriter(self._writing, self._tell_others, self._committed)

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query in a thread: it waits for the network."""
        self._require_heard()
        work = partial(self._read, query, *args, **kwargs)
        return await self._answered(asyncio.get_running_loop().run_in_executor(self._threads, work))

    async def read_apart(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read`: nobody waits for that either."""
        return await self.read(query, *args, **kwargs)

    def read_now(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for callers that cannot wait, in their thread."""
        self._require_heard()
        return self._read(query, *args, **kwargs)

    async def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Queue a change and wait until it is durable. A refusal for silence leaves open whether it was made."""
        self._require_heard()
        made = self._writer.submit(
            lambda connection: change(connection, *args, **kwargs),
            told=not is_untold(change),
            preconditions=preconditions_in(args),
        )
        answer = await self._answered(made)
        if is_heard_by_all(change):
            await self._hearing.wait(lambda question: self.read(hearing.ask, question))
        return answer

    def problems(self) -> list[str]:
        """What is wrong with the database: one sentence, or none."""
        return [] if self._pulse.is_heard() else [self._silence]

    def generation(self) -> int:
        """Own commits count at once, those of other nodes when the database has told of them. Raises Unavailable."""
        self._require_heard()
        return self._seen

    def tag_lookups(self) -> TagLookups:
        """Another node has answered its client before this one hears of it: tags are asked for."""
        return self._lookups_here()[0]

    def upload_lookups(self) -> UploadLookups:
        """As `tag_lookups`: a turn of a thread would cost more than the rest of the request."""
        return self._lookups_here()[1]

    def principals_generation(self) -> int:
        """As `generation`, for changes of principals."""
        self._require_heard()
        return self._seen_principals

    def losses_generation(self) -> int:
        """As `generation`, for removals."""
        self._require_heard()
        return self._seen_losses

    def leads(self) -> bool:
        """One of the nodes that are open; another within a second when it goes, or within 20 when its machine does."""
        return self._pulse.leads()

    def show(self, name: str) -> None:
        """By a lock of the session that listens: a node that is gone shows nothing."""
        self._pulse.show(name)

    def close(self) -> None:
        """Finish waiting writes, then close every connection."""
        self._writer.close()
        self._pulse.close()
        self._threads.shutdown()
        self._close_lookups(*self._lookups)
        self._reading.dispose()
        self._writing.dispose()

    def _read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        engine: Engine = self._single if is_autocommit(query) else self._reading
        try:
            return read_from(engine, lambda connection: query(connection, *args, **kwargs))
        except Exception as error:
            raise as_oci_error(error) from error

    def _lookups_here(self) -> tuple[TagLookups, UploadLookups]:
        loop = asyncio.get_running_loop()
        found = self._lookups.get(loop)
        if found is None:
            self._close_lookups(*(each for each in self._lookups if each.is_closed()))
            tags, uploads = self._source(tag_lookups.STATEMENT), self._source(upload_lookups.STATEMENT)
            found = self._lookups[loop] = TagLookups(tags, loop), UploadLookups(uploads, loop)
        return found

    def _close_lookups(self, *loops: asyncio.AbstractEventLoop) -> None:
        for loop in loops:
            for each in self._lookups.pop(loop):
                each.close()

    def _source(self, statement: str) -> Source:
        connect = partial(connected, self._database, statement)
        return Source(connect, LoopQuery, self._threads, self._require_heard)

    async def _answered(self, future: "asyncio.Future[T]") -> T:
        """The result, as long as the database is heard; a slow answer is waited for."""
        try:
            while not future.done():
                await asyncio.wait({future}, timeout=_LOOK_SECONDS)
                if not future.done():
                    self._require_heard()
        except BaseException:
            future.cancel()  # nobody hears how it ends: that would be logged
            raise
        return future.result()

    def _answer(self, question: str) -> None:
        self._threads.submit(lambda: self._read(hearing.answer, question))

    @property
    def _silence(self) -> str:
        return f"the database of the registry's metadata has not answered for {self._silence_seconds:g} s: try again"

    def _require_heard(self) -> None:
        if not self._pulse.is_heard():
            raise Unavailable(self._silence, headers=RETRY)

    def _tell_others(self, connection: Connection) -> None:
        info: dict[Any, Any] = connection.info
        principals, losses = info.pop(PRINCIPALS_CHANGED, False), info.pop(BLOBS_REMOVED, False)
        self._flags = "p" * bool(principals) + "l" * bool(losses)
        postpone(connection, TELL, {"channel": CHANNEL, "told": f"{self._node} {self._flags}"})

    def _committed(self) -> None:
        self._count(self._flags)

    def _told(self, said: str) -> None:
        node, _, flags = said.partition(" ")
        if self._hearing.takes(said):
            return
        if not said:
            # Whatever the pool holds is from before: it would be refused once for each connection.
            self._reading.dispose()
            for each in [lookups for both in list(self._lookups.values()) for lookups in both]:
                each.renew()
            self._count("pl")
        elif node != self._node:
            self._count(flags)

    def _count(self, flags: str) -> None:
        """A change that is counted twice, or together with another, changes the number all the same."""
        self._seen += 1
        self._seen_principals += "p" in flags
        self._seen_losses += "l" in flags
