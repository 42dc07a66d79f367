"""Parses texts from callers: short ones in the event loop, long ones in one thread beside it."""

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from registry.config.settings import RegistrySettings, SettingsInForce

T = TypeVar("T")

_SWITCH_SECONDS = 0.0001
"""How long the loop waits for its turn while a long text is read; by default 5 ms, and several times a request."""


class Parsing:
    """One thread: long texts wait for each other, and nobody else waits for them.

    Args:
        settings: `limits.loop_bytes` says which texts are long.
    """

    def __init__(self, settings: SettingsInForce[RegistrySettings]) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parsing")

    def is_long(self, size: int) -> bool:
        """Whether a text of this size in bytes is parsed in the thread."""
        return size > self._settings.current.limits.loop_bytes

    async def read(self, size: int, work: Callable[[], T]) -> T:
        """The result of `work` on a text of this size in bytes; raises what it raises."""
        if not self.is_long(size):
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, in_short_turns, work)

    def close(self) -> None:
        """Wait for the thread to end."""
        self._thread.shutdown()


class _ShortTurns:
    """Shortens the interpreter's switch interval while a long text is parsed, and only then: switching has a cost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading = 0
        self._usual = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not self._reading:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(_SWITCH_SECONDS)
            self._reading += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._reading -= 1
            if not self._reading:
                sys.setswitchinterval(self._usual)


_SHORT_TURNS = _ShortTurns()
"""The interpreter's, and so of all who read texts."""


def in_short_turns(work: Callable[[], T]) -> T:
    """The result of `work`, done in a thread; the event loop has its turn after a tenth of a millisecond meanwhile."""
    with _SHORT_TURNS:
        return work()
