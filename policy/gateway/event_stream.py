"""Events as a stream of server-sent events (WHATWG HTML, section 9.2), until the client leaves, the server stops, or
the right to it ends.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from registry.config.events import EventSettings
from registry.metadata.events import Recorded
from registry.notifications.document import document_of
from registry.notifications.feed import Feed, Sees

_BEGIN = b"retry: 1000\nid: %d\n\n"


@dataclass(slots=True)
class OpenStreams:
    """How many streams are open."""

    count: int = 0


class EventStream(Response):
    """One stream.

    Args:
        feed: where the events are read.
        settings: those in force.
        after: the cursor.
        sees: which events are sent.
        streams: counts this one from now on, until it ends.
        is_still: whether the caller has the right to it, as it had when it came.
    """

    media_type = "text/event-stream"

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        feed: Feed,
        settings: Callable[[], EventSettings],
        after: int,
        sees: Sees,
        streams: OpenStreams,
        is_still: Callable[[], Awaitable[bool]],
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._settings = settings
        self._after = after
        self._sees = sees
        self._streams = streams
        self._is_still = is_still

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events as they come."""
        self._streams.count += 1
        leaving = asyncio.ensure_future(_left(receive))
        ends = scope.get("extensions", {}).get("basegate.stopping", lambda: False)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await _write(send, _BEGIN % self._after)
            await self._follow(send, lambda: leaving.done() or ends())
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._streams.count -= 1
            leaving.cancel()

    async def _follow(self, send: Send, is_over: Callable[[], bool]) -> None:
        end = time.monotonic() + self._settings().stream_seconds
        written, generation = time.monotonic(), -1
        while not is_over() and time.monotonic() < end and await self._is_still():
            settings, now = self._settings(), self._feed.generation()
            if now != generation:
                page = await self._feed.page(self._after, settings.page, self._sees)
                self._after, generation = page.next, generation if page.more else now
                if page.events:
                    await _write(send, b"".join(map(_frame, page.events)))
                    written = time.monotonic()
                if page.more:
                    continue
            if time.monotonic() - written >= settings.keep_alive_seconds:
                await _write(send, b": nothing new\nid: %d\n\n" % self._after)
                written = time.monotonic()
            await asyncio.sleep(settings.poll_seconds)


def _frame(recorded: Recorded) -> bytes:
    data = json.dumps(document_of(recorded), separators=(",", ":"))
    return f"id: {recorded.id}\nevent: {recorded.event.kind}\ndata: {data}\n\n".encode()


async def _write(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
