"""Single flight: whoever wants the same thing at the same time waits for the one who fetches it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from registry.caches import SizedCache

K = TypeVar("K")
T = TypeVar("T")

_FAILURES = 10_000


class StillFlying(Exception):
    """The work takes longer than somebody wanted to wait; it goes on."""


class Flights(Generic[K, T]):
    """Work by key, each once at a time; it goes on when nobody waits any more.

    Args:
        most: works at a time.
        full: the error for one more.
    """

    def __init__(self, most: int, full: Callable[[], Exception]) -> None:
        self._most = most
        self._full = full
        self._running: dict[K, asyncio.Task[T]] = {}
        self._failures: SizedCache[K, tuple[Exception, float]] = SizedCache(_FAILURES)

    async def join(
        self, key: K, begin: Callable[[], Coroutine[Any, Any, T]], wait: float | None = None, rest: float = 0.0
    ) -> T:
        """What the work gives.

        Args:
            key: of the work.
            begin: begins it, when nobody has.
            wait: seconds; `None`: as long as it takes.
            rest: seconds in which a failure is told again instead of trying again.

        Raises:
            StillFlying: it takes longer than `wait`.
            Exception: what the work raises, or has raised less than `rest` seconds ago.
        """
        task = self._running.get(key)
        if task is None:
            self._tell_failure(key)
            if len(self._running) >= self._most:
                raise self._full()
            task = asyncio.create_task(begin())
            self._running[key] = task
            task.add_done_callback(lambda done: self._landed(key, done, rest))
        await asyncio.wait({task}, timeout=wait)
        if not task.done():
            raise StillFlying
        return task.result()

    async def stop(self) -> None:
        """Cancel what is running, and wait for its end."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _landed(self, key: K, task: "asyncio.Task[T]", rest: float) -> None:
        self._running.pop(key, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception) and rest > 0:
            self._failures.put(key, (error, time.monotonic() + rest))

    def _tell_failure(self, key: K) -> None:
        known = self._failures.get(key)
        if known is None:
            return
        error, until = known
        if time.monotonic() < until:
            raise error.with_traceback(None)
        self._failures.pop(key)
