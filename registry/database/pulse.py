"""Hearing from a PostgreSQL database: what other nodes commit, and whether it answers at all."""

import threading
import time
from collections.abc import Callable

import psycopg

from registry.database.postgres import Database

CHANNEL = "basegate"
_ASK_SECONDS = 0.25
_AGAIN_SECONDS = 0.1


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
        self._first = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metadata-pulse", daemon=True)
        self._thread.start()
        self._first.wait(silence_seconds)

    def is_heard(self) -> bool:
        """Whether the database has answered lately: a question counts from when it was asked."""
        return time.monotonic() - self._heard <= self._silence_seconds

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join(2 * _ASK_SECONDS)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with self._database.connect(autocommit=True) as connection:
                    connection.execute(f"LISTEN {self._channel}")
                    self._told("")
                    self._listen(connection)
            except psycopg.Error:
                self._closing.wait(_AGAIN_SECONDS)

    def _listen(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        while not self._closing.is_set():
            asked = time.monotonic()
            connection.execute("SELECT 1")
            # What was committed before the question is told before the answer counts.
            for note in connection.notifies(timeout=0):
                self._told(note.payload)
            self._heard = asked
            self._first.set()
            for note in connection.notifies(timeout=_ASK_SECONDS):
                self._told(note.payload)
