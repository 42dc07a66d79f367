"""Stopping on a signal: after the first, running requests go on to their end; after the second, nothing does."""

import signal
from collections.abc import Callable
from typing import Protocol

import structlog
import uvicorn

Tell = Callable[[str], None]
"""Is told, in words for a person, what a stopping server waits for."""

_ONE = "one"


class Cuttable(Protocol):
    """A connection that can be ended at once."""

    def cut(self) -> None:
        """End it."""
        ...


class Stopping:
    """What the signals to stop do to one server."""

    def __init__(
        self, server: uvicorn.Server, running: Callable[[], tuple[int, int]], cut: Callable[[], None], tell: Tell
    ) -> None:
        """Args:
        server: stops when it is told.
        running: counts the uploads and the other requests that are running.
        cut: ends every connection.
        tell: see there.
        """
        self._server = server
        self._running = running
        self._cut = cut
        self._tell = tell

    def on_signal(self, number: signal.Signals) -> None:
        """Stop after the running requests; asked again, stop now."""
        uploads, others = self._running()
        log = structlog.get_logger(__name__)
        if self._server.should_exit:
            log.warning("stopping now", signal=number.name, uploads=uploads, requests=others)
            self._tell(words_of_the_end(uploads, others))
            self._server.force_exit = True
            self._cut()
            return
        self._server.should_exit = True
        log.info("stopping", signal=number.name, uploads=uploads, requests=others)
        self._tell(words(uploads, others))


def words(uploads: int, others: int) -> str:
    """`stopping, 3 uploads are running, again to stop now`."""
    what = _counted(uploads, others)
    return f"stopping, {what} running, again to stop now" if what else "stopping"


def words_of_the_end(uploads: int, others: int) -> str:
    """`stopping now, 3 uploads are cut off`."""
    what = _counted(uploads, others)
    return f"stopping now, {what} cut off" if what else "stopping now"


def _counted(uploads: int, others: int) -> str:
    """`one upload is`, `2 uploads and one other request are`; empty for nothing."""
    parts = [f"{_number(uploads)} upload{'s' * (uploads != 1)}"] if uploads else []
    if others:
        parts.append(f"{_number(others)} {'other ' * bool(uploads)}request{'s' * (others != 1)}")
    verb = "is" if uploads + others == 1 else "are"
    return f"{' and '.join(parts)} {verb}" if parts else ""


def _number(count: int) -> str:
    return _ONE if count == 1 else str(count)
