"""Hearing from a PostgreSQL database: what other nodes commit, whether it answers at all, and which node leads.

The node that leads has a lock of the session that listens. It ends with that session, and another node takes it. All
that listen share another lock, by which they are counted; and each shows others what they are to know of it by more.
"""

import threading
import time
import zlib
from collections.abc import Callable

import psycopg

from registry.database.postgres import Database

CHANNEL = "basegate"
TELL = "SELECT pg_notify(%(channel)s, %(told)s)"
"""Tell all who listen, at the commit."""
_ASK_SECONDS = 0.25
_AGAIN_SECONDS = 0.1
LEADING = int.from_bytes(b"basegate") + 1
"""The lock of the node that leads; that of changes is the number before it."""
LISTENING = 1650553701
"""The first half of the lock that those share who listen; the second is made of their channel."""
SHOWN = 1650553702
"""The first half of the locks by which nodes show what others are to know of them; the second is made of that."""
COUNT = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1650553701 AND granted AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database())"
)
"""How many sessions listen to some channel: whose `objid` is `place_of` it."""


def place_of(name: str) -> int:
    """The second half of a lock: of those who listen to a channel, or show a name."""
    return zlib.crc32(name.encode("ascii")) >> 1


class Pulse:
    """Listens in a thread of its own.

    Args:
        database: the database.
        told: called with what a node that committed says; with "" when something may have been missed.
        silence_seconds: after so long without an answer the database counts as away.
        channel: what it listens to.
    """

    def __init__(
        self, database: Database, told: Callable[[str], None], silence_seconds: float, channel: str = CHANNEL
    ) -> None:
        self._database = database
        self._channel = channel
        self._told = told
        self._silence_seconds = silence_seconds
        self._heard = float("-inf")
        self._leads = False
        self._shown: list[str] = []
        self._first = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metadata-pulse", daemon=True)
        self._thread.start()
        self._first.wait(silence_seconds)

    def is_heard(self) -> bool:
        """Whether the database has answered lately: a question counts from when it was asked."""
        return time.monotonic() - self._heard <= self._silence_seconds

    def leads(self) -> bool:
        """Whether this node has the lock, as far as it has heard lately."""
        return self._leads and self.is_heard() and not self._closing.is_set()

    def show(self, name: str) -> None:
        """Hold a lock of this name from now on, as long as the database hears of this node; others may hold it too."""
        self._shown.append(name)

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join(2 * _ASK_SECONDS)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with self._database.connect(autocommit=True) as connection:
                    connection.execute(f"LISTEN {self._channel}")
                    connection.execute(f"SELECT pg_advisory_lock_shared({LISTENING}, {place_of(self._channel)})")
                    self._told("")
                    self._listen(connection)
            except psycopg.Error:
                self._leads = False
                self._closing.wait(_AGAIN_SECONDS)

    def _listen(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        shown = 0
        while not self._closing.is_set():
            asked = time.monotonic()
            for name in self._shown[shown:]:
                connection.execute(f"SELECT pg_advisory_lock_shared({SHOWN}, {place_of(name)})")
                shown += 1
            self._leads = self._leads or self._takes_lead(connection)
            connection.execute("SELECT 1")
            # What was committed before the question is told before the answer counts.
            for note in connection.notifies(timeout=0):
                self._told(note.payload)
            self._heard = asked
            self._first.set()
            for note in connection.notifies(timeout=_ASK_SECONDS):
                self._told(note.payload)

    @staticmethod
    def _takes_lead(connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
        (taken,) = connection.execute(f"SELECT pg_try_advisory_lock({LEADING})").fetchone() or (False,)
        return bool(taken)
