"""Texts from callers: short ones are read where they come in, long ones by one thread beside the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from registry.config.settings import RegistrySettings, SettingsInForce

T = TypeVar("T")


class Parsing:
    """One thread, so that long texts wait for each other and not everybody for them.

    Args:
        settings: say what is long (`limits.loop_bytes`).
    """

    def __init__(self, settings: SettingsInForce[RegistrySettings]) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parsing")

    def is_long(self, size: int) -> bool:
        """Whether a text of so many bytes is not read in the loop."""
        return size > self._settings.current.limits.loop_bytes

    async def read(self, size: int, work: Callable[[], T]) -> T:
        """What `work` makes of a text of so many bytes, or whatever it raises."""
        if not self.is_long(size):
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
