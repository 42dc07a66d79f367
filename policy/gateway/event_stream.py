"""Events as a stream of server-sent events (WHATWG HTML, section 9.2), until the client leaves, the server stops, or
the right to it ends.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from registry.config.events import EventSettings
from registry.metadata.events import Recorded
from registry.notifications.feed import Feed, Sees
from registry.oci.errors import BadRequest, TooManyRequests, Unavailable

STREAM_TYPE = "text/event-stream"
_CURSOR = re.compile(r"[0-9]{1,18}")
_LATER = {"Retry-After": "5"}
_BEGIN = b"retry: 1000\nid: %d\n\n"


class OpenStreams:
    """The streams that are open, of each principal.

    Args:
        settings: those in force.
    """

    def __init__(self, settings: Callable[[], EventSettings]) -> None:
        self._settings = settings
        self._of: Counter[str] = Counter()

    def add(self, principal: str) -> None:
        """Count one more of a principal, by its id.

        Raises:
            TooManyRequests: it has its share.
            Unavailable: no more may be open at all.
        """
        settings, own, every = self._settings(), self._of[principal], self._of.total()
        if settings.streams_each and own >= settings.streams_each:
            raise TooManyRequests(
                f"{own} streams of events are open with these credentials, and no more may be: close one, or see the "
                "setting events.streams_each",
                headers=_LATER,
            )
        if every >= settings.streams:
            raise Unavailable(
                f"{every} streams of events are open, and no more may be: see the setting events.streams",
                headers=_LATER,
            )
        self._of[principal] = own + 1

    def remove(self, principal: str) -> None:
        """One of a principal has ended."""
        self._of[principal] -= 1
        if not self._of[principal]:
            del self._of[principal]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one caller is sent.

    Attributes:
        principal: id of the caller.
        after: the cursor behind which it begins.
        sees: which events are sent.
        is_still: whether the caller has the right to them, as it had when it came.
        frames: events as they are sent, made by `frame`.
    """

    principal: str
    after: int
    sees: Sees
    is_still: Callable[[], Awaitable[bool]]
    frames: Callable[[Sequence[Recorded]], Awaitable[bytes]]


class EventStream(Response):
    """One stream.

    Args:
        feed: where the events are read.
        settings: those in force.
        streams: counts this one from now on, until it ends; it must be answered then.
        subscription: what is sent, and to whom.
    """

    media_type = STREAM_TYPE

    def __init__(
        self, feed: Feed, settings: Callable[[], EventSettings], streams: OpenStreams, subscription: Subscription
    ) -> None:
        """Raises TooManyRequests, Unavailable."""
        streams.add(subscription.principal)
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._settings = settings
        self._streams = streams
        self._subscription = subscription
        self._after = subscription.after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events as they come."""
        leaving = asyncio.ensure_future(_left(receive))
        ends = scope.get("extensions", {}).get("basegate.stopping", lambda: False)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await _write(send, _BEGIN % self._after)
            await self._follow(send, lambda: leaving.done() or ends())
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._streams.remove(self._subscription.principal)
            leaving.cancel()

    async def _follow(self, send: Send, is_over: Callable[[], bool]) -> None:
        end = time.monotonic() + self._settings().stream_seconds
        written, generation = time.monotonic(), -1
        while not is_over() and time.monotonic() < end and await self._subscription.is_still():
            settings, now = self._settings(), self._feed.generation()
            if now != generation:
                page = await self._feed.page(self._after, settings.page, self._subscription.sees)
                self._after, generation = page.next, generation if page.more else now
                if page.events:
                    await _write(send, await self._subscription.frames(page.events))
                    written = time.monotonic()
                if page.more:
                    continue
            if time.monotonic() - written >= settings.keep_alive_seconds:
                await _write(send, b": nothing new\nid: %d\n\n" % self._after)
                written = time.monotonic()
            await asyncio.sleep(settings.poll_seconds)


def frame(identifier: int, kind: str, data: str) -> bytes:
    """One event of a stream; a text of several lines is sent as such."""
    lines = "".join(f"data: {line}\n" for line in data.replace("\r", "").split("\n"))
    return f"id: {identifier}\nevent: {kind}\n{lines}\n".encode()


def is_asked_for(request: Request) -> bool:
    """Whether the caller wants a stream, and no page."""
    return request.method == "GET" and STREAM_TYPE in request.headers.get("accept", "")


async def begin_of(request: Request, feed: Feed) -> int:
    """Where a stream begins: where the one before ended, at `after`, or now. Raises BadRequest."""
    asked = request.headers.get("last-event-id") or request.query_params.get("after")
    return await feed.newest() if asked is None else cursor_of(asked)


def cursor_of(text: str) -> int:
    """The cursor that a caller sends. Raises BadRequest."""
    if not _CURSOR.fullmatch(text):
        raise BadRequest(f"after is {text[:32]!r}: needs the cursor of an answer before, or 0 for the beginning")
    return int(text)


async def _write(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
