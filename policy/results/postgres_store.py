"""Results in a PostgreSQL database, which several nodes share; see `policy.results.store` for the promises.

Reads run in threads, each on a connection of a pool, and whoever asks waits no longer than the database is heard: when
it has not answered for `silence_seconds`, everything is refused (503) until it answers again, so that nobody is let in
by what is remembered. Changes of all nodes happen one after the other. What one node writes the others read at once;
what they remember counts until they are told otherwise, within milliseconds.
"""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

import psycopg
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from policy.results.counters import COUNTED, FORGOTTEN, SUPERSEDED
from policy.results.leased_turns import LEASE_SECONDS, LeasedTurns
from policy.results.postgres_schema import LOCK, NAME, begun_anew, ensured, is_damage
from policy.results.write_behind import BegunAnew, WriteBehind
from registry.database.errors import as_oci_error
from registry.database.postgres import Database, changing, engine_of, read_from
from registry.database.postgres_errors import RETRY
from registry.database.postgres_writer import take_turn
from registry.database.postponed import postpone
from registry.database.pulse import TELL, Pulse
from registry.metadata.postgres_store import SILENCE_SECONDS
from registry.oci.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")

CONNECTIONS = 4
CHANNEL = "basegate_results"
_LOOK_SECONDS = 0.1
_SESSION = {"search_path": NAME}
_TO_ALL, _TO_OTHERS = "all", "others"


class PostgresResults:
    """Results in a schema of the database, which is made where there is none.

    Args:
        database: where it is.
        connections: for reads, at most; one more writes, and one listens.
        silence_seconds: after so long without an answer the database counts as away.
        lease_seconds: after so long without a sign of this node another inspects its layers.

    Raises:
        DBAPIError, psycopg.Error: the database cannot be used.
    """

    def __init__(
        self,
        database: Database,
        connections: int = CONNECTIONS,
        silence_seconds: float = SILENCE_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._node = uuid.uuid4().hex
        self._lease_seconds = lease_seconds
        self._seen = 0
        self._silence_seconds = silence_seconds
        self._reading = engine_of(database, connections, reads=True, settings=_SESSION)
        self._single = self._reading.execution_options(isolation_level="AUTOCOMMIT")
        # The last commits before a crash of the database may be lost, as those of an SQLite file.
        self._writing = engine_of(database, 1, settings=_SESSION | {"synchronous_commit": "off"})
        self._changing = threading.Lock()
        self._beginning = self._ensured()
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="results")
        self._pulse = Pulse(database, self._told, silence_seconds, CHANNEL)
        self._behind = WriteBehind(self._transact)

    def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query now, in another thread, for as long as the database is heard. Raises Unavailable."""
        self._require_heard()
        return self._answer(self._threads.submit(self._read, lambda connection: query(connection, *args, **kwargs)))

    def later(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Make a change soon."""
        return self._behind.later(lambda connection: change(connection, *args, **kwargs))

    def gather(self, add: Callable[[Connection, Sequence[Item]], object], item: Item) -> None:
        """Add an item soon."""
        self._behind.gather(add, item)

    def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a change and wait until it is committed. A refusal for silence leaves open whether it was made."""
        self._require_heard()
        return self._answer(self._behind.now(lambda connection: change(connection, *args, **kwargs)))

    def soon(self, change: Callable[[Connection], T]) -> "Future[T]":
        """`later`, without gathering others."""
        self._require_heard()
        return self._behind.now(change)

    def settle(self) -> None:
        """Wait until everything pending is committed."""
        self.write(lambda _connection: None)

    def generation(self) -> int:
        """Changes when a node has asked for a new inspection, or another has dropped verdicts. Raises Unavailable."""
        self._require_heard()
        return self._seen

    def layer_turns(self, detectors: str) -> LeasedTurns:
        """By leases, which other nodes heed."""
        return LeasedTurns(self.soon, detectors, self._lease_seconds)

    def close(self) -> None:
        """Commit what is pending and close every connection."""
        self._behind.close()
        self._pulse.close()
        self._threads.shutdown()
        self._reading.dispose()
        self._writing.dispose()

    def _ensured(self) -> str:
        try:
            with changing(self._writing) as connection:
                return ensured(connection)
        except BaseException:
            self._writing.dispose()
            raise

    def _read(self, query: Callable[[Connection], T]) -> T:
        beginning = self._beginning
        try:
            return read_from(self._single, query)
        except Exception as error:
            if not is_damage(error):
                raise as_oci_error(error) from error
            damage = error
        with _refusals():
            self._begin_anew(beginning, damage)
            return read_from(self._single, query)

    def _transact(self, work: Callable[[Connection], T]) -> T:
        beginning = self._beginning
        try:
            with self._changing:
                return self._transact_again_if_lost(work)
        except Exception as error:
            if not is_damage(error):
                raise as_oci_error(error) from error
            with _refusals():
                self._begin_anew(beginning, error)
            raise BegunAnew from error

    def _transact_once(self, work: Callable[[Connection], T]) -> T:
        with changing(self._writing) as connection:
            take_turn(connection, LOCK)
            answer = work(connection)
            told = _whom_to_tell(connection)
            if told:
                self._tell(connection, told)
        self._seen += told == _TO_ALL
        return answer

    def _transact_again_if_lost(self, work: Callable[[Connection], T]) -> T:
        """On a new connection where the one that was kept has ended, as by a restart of the database."""
        try:
            return self._transact_once(work)
        except (DBAPIError, psycopg.Error) as error:
            if not isinstance(getattr(error, "orig", error), psycopg.OperationalError | psycopg.InterfaceError):
                raise
            self._writing.dispose()
        return self._transact_once(work)

    def _begin_anew(self, damaged: str, error: BaseException) -> None:
        with self._changing, changing(self._writing) as connection:
            self._beginning = begun_anew(connection, damaged)
            self._tell(connection, _TO_ALL)
        self._seen += 1
        structlog.get_logger(__name__).warning(
            "the shared results are damaged and begun anew: what is stored is looked into again",
            reason=str(error),
        )

    def _answer(self, future: "Future[T]") -> T:
        """The result, as long as the database is heard; a slow answer is waited for."""
        while not wait([future], _LOOK_SECONDS).done:
            self._require_heard()
        return future.result()

    def _require_heard(self) -> None:
        if not self._pulse.is_heard():
            silence = f"{self._silence_seconds:g} s"
            raise Unavailable(
                f"the database of the registry's verdicts has not answered for {silence}: try again", headers=RETRY
            )

    def _tell(self, connection: Connection, whom: str) -> None:
        postpone(connection, TELL, {"channel": CHANNEL, "told": f"{self._node} {whom}"})

    def _told(self, said: str) -> None:
        if said.partition(" ")[0] != self._node:  # something may have been missed when nothing is said
            self._seen += 1


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise the OCI error in the place of what the driver raises while damage is mended."""
    try:
        yield
    except Exception as error:
        if is_damage(error):
            raise Unavailable("the shared results are damaged and are begun anew: try again", headers=RETRY) from error
        raise as_oci_error(error) from error


def _whom_to_tell(connection: Connection) -> str:
    """This node drops what it remembers of verdicts that it drops itself."""
    counted: set[str] = connection.info.pop(COUNTED, set())
    if FORGOTTEN in counted:
        return _TO_ALL
    return _TO_OTHERS if SUPERSEDED in counted else ""
