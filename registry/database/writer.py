"""The thread that writes to a database: what is asked for meanwhile goes into one transaction."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

W = TypeVar("W")


class WriterThread(Generic[W]):
    """Hands on what it is given, in groups, in its own thread and in the order in which it came.

    Args:
        name: of the thread.
        commit: makes a group durable and tells whoever waits; it raises nothing.
        largest: how many a group has at most.
        gather_seconds: how long a group is waited for after its first; 0: it is what has come by then. For work that
            nobody waits for: waking a thread for each costs more than the work.
    """

    def __init__(
        self, name: str, commit: Callable[[list[W]], None], *, largest: int, gather_seconds: float = 0.0
    ) -> None:
        self._commit = commit
        self._largest = largest
        self._gather_seconds = gather_seconds
        self._queue: queue.SimpleQueue[W | None] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._is_behind = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, work: W) -> None:
        """Have it done; returns at once."""
        self._queue.put(work)

    def hurry(self) -> None:
        """Somebody waits for what was put: it is not gathered any longer."""
        self._hurry.set()

    def close(self) -> None:
        """Finish what was put and end the thread. Safe to call twice."""
        self._queue.put(None)
        self._hurry.set()
        self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            group, is_last = self._next_group()
            if group:
                self._commit(group)

    def _next_group(self) -> tuple[list[W], bool]:
        """What waits, at least one; and whether the end was asked for."""
        group: list[W] = []
        item = self._queue.get()
        if self._gather_seconds and not self._is_behind:
            self._hurry.wait(self._gather_seconds)
            self._hurry.clear()
        while item is not None:
            group.append(item)
            self._is_behind = len(group) == self._largest
            if self._is_behind or self._queue.empty():
                return group, False
            item = self._queue.get()
        return group, True
