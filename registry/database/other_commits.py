"""Noticing what other connections have committed to an SQLite file (PRAGMA data_version)."""

import sqlite3
import threading
import time
from pathlib import Path

OTHERS_SECONDS = 0.1
"""A change made by another process counts after at most so long; asking costs some 20 microseconds."""


class OtherCommits:
    """Counts the times that another connection was seen to have committed, the store's own writer included."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self._count = 0
        self._version = -1
        self._next_look = 0.0

    def hold(self) -> None:
        """Have the file open without a look: what the store itself commits before the first one does not count."""
        self._version_now()

    def count(self) -> int:
        """The count; asks SQLite at most every `OTHERS_SECONDS`, and again at once after a refusal.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        now = time.monotonic()
        if now >= self._next_look:
            with self._lock:
                self._look()
                self._next_look = now + OTHERS_SECONDS
        return self._count

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._next_look = float("inf")
            self._connection.close()

    def _look(self) -> None:
        version = self._version_now()
        if version != self._version:
            self._version = version
            self._count += 1

    def _version_now(self) -> int:
        found: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return found
