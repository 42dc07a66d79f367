"""The lock of an upload session: one request at a time; a newer one takes over from a silent one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol, runtime_checkable

LOOK = 0.1
"""Seconds between two looks at a request that is in the way."""
TAKEN_OVER = "another request for this upload has come while nothing came of this one: it goes on there"


@runtime_checkable
class Interruptible(Protocol):
    """A body that can be interrupted."""

    def waited_for(self) -> int | None:
        """Bytes received so far, while waiting for the client; else `None`."""
        ...

    def interrupt(self, why: str) -> None:
        """End it: the reader sees a disconnect, and the client gets the reason."""
        ...


class Claim:
    """One session's."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._body: Interruptible | None = None

    @property
    def taken(self) -> bool:
        """Whether a request holds the session."""
        return self._lock.locked()

    @asynccontextmanager
    async def held(self, silence: float) -> AsyncIterator[None]:
        """Hold the session; a holder that receives no byte for `silence` seconds is interrupted for a newer request."""
        await self._take(silence)
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def receiving(self, body: object) -> Iterator[None]:
        """Register the body that the holder receives."""
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
        """Bytes received by the holder, while it waits for its client."""
        return None if self._body is None else self._body.waited_for()

    def interrupt(self) -> None:
        """Interrupt the holder."""
        body, self._body = self._body, None
        if body is not None:
            body.interrupt(TAKEN_OVER)


class _Watch:
    """Watches the holder for a waiting request."""

    def __init__(self, claim: Claim, silence: float) -> None:
        self._claim = claim
        self._silence = silence
        self._came = claim.came()
        self._since = asyncio.get_running_loop().time()

    def look(self) -> None:
        """Interrupt the holder if it received no byte for the whole interval."""
        now, came = asyncio.get_running_loop().time(), self._claim.came()
        if came is None or came != self._came:
            self._came, self._since = came, now
        elif now - self._since >= self._silence:
            self._claim.interrupt()
