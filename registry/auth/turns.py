"""A fair queue for hashing: addresses take turns, and at each address the user names."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from registry.oci.errors import TooManyRequests

Line = OrderedDict[str, deque[asyncio.Future[None]]]


class Turns:
    """A queue in which others wait for at most one of many attempts from one address.

    Args:
        places: attempts that may run at once.
        waiting: returns how many may wait; above it, the last attempt of the address with most of them is refused.
    """

    def __init__(self, places: int, waiting: Callable[[], int]) -> None:
        self._free = places
        self._maximum = waiting
        self._waiting = 0
        self._lines: OrderedDict[str, Line] = OrderedDict()

    @asynccontextmanager
    async def wait(self, address: str, username: str) -> AsyncIterator[None]:
        """Wait for a place and hold it.

        Raises:
            TooManyRequests: too many wait.
        """
        if self._free and not self._waiting:
            self._free -= 1
        else:
            await self._wait(address, username)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, address: str, username: str) -> None:
        if self._waiting >= self._maximum():
            self._make_room(address)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(address, OrderedDict()).setdefault(username, deque()).append(mine)
        self._waiting += 1
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._pass_on()  # it got the place in the moment it was cancelled
            elif self._drop(address, username, mine):
                self._waiting -= 1
            raise

    def _make_room(self, address: str) -> None:
        longest = max(self._lines, key=self._length, default=address)
        refusal = TooManyRequests("too many sign-ins at once: try again in a second", headers={"Retry-After": "1"})
        if self._length(longest) <= self._length(address) + 1:
            raise refusal
        username = max(self._lines[longest], key=lambda name: len(self._lines[longest][name]))
        last = self._lines[longest][username][-1]
        self._drop(longest, username, last)
        self._waiting -= 1
        if not last.done():
            last.set_exception(refusal)

    def _length(self, address: str) -> int:
        return sum(map(len, self._lines.get(address, {}).values()))

    def _drop(self, address: str, username: str, one: asyncio.Future[None]) -> bool:
        line = self._lines.get(address, OrderedDict())
        if one not in line.get(username, ()):
            return False
        line[username].remove(one)
        self._tidy(address, username)
        return True

    def _tidy(self, address: str, username: str) -> None:
        if not self._lines[address][username]:
            del self._lines[address][username]
        if not self._lines[address]:
            del self._lines[address]

    def _pass_on(self) -> None:
        """Give the place to the next attempt, by the address and the name that waited longest for a turn."""
        while self._waiting:
            address, line = next(iter(self._lines.items()))
            username, names = next(iter(line.items()))
            following = names.popleft()
            self._waiting -= 1
            line.move_to_end(username)
            self._lines.move_to_end(address)
            self._tidy(address, username)
            if not following.done():  # it may have been cancelled
                following.set_result(None)
                return
        self._free += 1
