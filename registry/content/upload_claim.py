"""Who works on an upload session: one request at a time, and a newer one instead of one that has gone silent."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol, runtime_checkable

LOOK = 0.1
"""Seconds between two looks at a request that is in the way."""
TAKEN_OVER = "another request for this upload has come while nothing came of this one: it goes on there"


@runtime_checkable
class Interruptible(Protocol):
    """A body that its request can be told to end."""

    def waited_for(self) -> int | None:
        """How many bytes of it have come; `None` while the client is not what is waited for."""
        ...

    def interrupt(self, why: str) -> None:
        """End it: whoever reads it sees a client that has left, and the client is told why."""
        ...


class Claim:
    """One session's."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._body: Interruptible | None = None

    @property
    def taken(self) -> bool:
        """Whether a request works on the session."""
        return self._lock.locked()

    @asynccontextmanager
    async def held(self, silence: float) -> AsyncIterator[None]:
        """Be the one request. Whoever brings no byte of its body for `silence` seconds is ended for it."""
        await self._take(silence)
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def receiving(self, body: object) -> Iterator[None]:
        """The request that works on the session receives this body."""
        self._body = body if isinstance(body, Interruptible) else None
        try:
            yield
        finally:
            self._body = None

    async def _take(self, silence: float) -> None:
        watch = _Watch(self, silence)
        while True:
            try:
                async with asyncio.timeout(LOOK if self.taken else None):
                    await self._lock.acquire()
            except TimeoutError:
                watch.look()
            else:
                return

    def came(self) -> int | None:
        """What has come of the body in the way, while it is waited for."""
        return None if self._body is None else self._body.waited_for()

    def interrupt(self) -> None:
        """End the request in the way."""
        body, self._body = self._body, None
        if body is not None:
            body.interrupt(TAKEN_OVER)


class _Watch:
    """Looks at the request in the way."""

    def __init__(self, claim: Claim, silence: float) -> None:
        self._claim = claim
        self._silence = silence
        self._came = claim.came()
        self._since = asyncio.get_running_loop().time()

    def look(self) -> None:
        """End the request when no byte of its body has come for so long, although it is waited for."""
        now, came = asyncio.get_running_loop().time(), self._claim.came()
        if came is None or came != self._came:
            self._came, self._since = came, now
        elif now - self._since >= self._silence:
            self._claim.interrupt()
