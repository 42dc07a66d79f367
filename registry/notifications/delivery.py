"""Delivery to one sink: at least once, in order, from a cursor in the database; a dead sink costs no memory.

An event is done with when the cursor has passed it, and the cursor is written behind deliveries: a crash in between
repeats some, with the same ids. An event that fails stands before all later ones.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import structlog

from registry.errors import BasegateError
from registry.metadata import events, sinks, webhooks
from registry.metadata.events import Recorded
from registry.metadata.identity import identity
from registry.metadata.sinks import SinkState
from registry.metadata.store import MetadataStore
from registry.notifications.connection import SinkConnection
from registry.notifications.formats import FORMS, Origin, Payload
from registry.notifications.outcome import Outcome
from registry.notifications.post import connection_to, deliver
from registry.notifications.sink import Sink
from registry.notifications.webhook_sinks import delivery_document

_BATCH = 100
_LOOK_SECONDS = 0.2
_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 300.0
_SAVE_SECONDS = 1.0


def pause_after(failures: int) -> float:
    """Seconds until the next try: 1, 2, 4, … up to 5 minutes."""
    return min(_FIRST_SECONDS * 2.0 ** min(failures - 1, 16), _LONGEST_SECONDS)


class SinkForgotten(BasegateError):
    """The row of a sink is gone: somebody has removed it, and it is to be told nothing more."""


class Delivery:
    """Tells one sink.

    Args:
        sink: it.
        metadata: where events and cursors are.
        host: name of the registry now, for forms that have one.
        clock: seconds since the epoch.
        keep: how many deliveries to a webhook are kept now.
    """

    def __init__(
        self,
        sink: Sink,
        metadata: MetadataStore,
        host: Callable[[], str] = lambda: "",
        clock: Callable[[], float] = time.time,
        keep: Callable[[], int] = lambda: 0,
    ) -> None:
        self._keep = keep
        self._sink = sink
        self._metadata = metadata
        self._host = host
        self._clock = clock
        self._log = structlog.get_logger(__name__)
        self._state = SinkState(sink.name, 0)
        self._saved = self._state
        self._saved_at = 0.0

    async def run(self) -> None:
        """Until it is cancelled, or the sink is forgotten."""
        store = (await self._metadata.read(identity)).id
        self._state = self._saved = await self._metadata.write(sinks.begin, self._sink.name)
        try:
            with connection_to(self._sink) as connection:
                while True:
                    await self._round(connection, Origin(store, self._host()))
        except SinkForgotten:
            return
        finally:
            with suppress(SinkForgotten):
                await asyncio.shield(self._save())

    async def _round(self, connection: SinkConnection, origin: Origin) -> None:
        """Deliver what there is, or wait for it."""
        generation = self._metadata.generation()
        await self._adopt()
        found = await self._metadata.read_apart(events.after, self._state.cursor, _BATCH)
        for recorded in found:
            if not await self._told(connection, origin, recorded):
                await self._save()
                await self._wait(pause_after(self._state.failures))
                return
            if self._clock() - self._saved_at >= _SAVE_SECONDS and not await self._save():
                return
        await self._save()
        while not found and self._metadata.generation() == generation:  # noqa: ASYNC110  other processes write too
            await asyncio.sleep(_LOOK_SECONDS)

    async def _told(self, connection: SinkConnection, origin: Origin, recorded: Recorded) -> bool:
        """Whether the sink is done with an event."""
        if self._sink.wants(recorded.event):
            payloads = [each for each in FORMS[self._sink.format](recorded, origin) if self._sink.covers(each.tag)]
            for payload in payloads:
                outcome = await deliver(connection, self._sink, payload)
                await self._note(payload, outcome)
                problem = outcome.problem
                if problem and not self._gives_up(problem, recorded):
                    return False
                if problem:
                    break
            else:
                self._note_success(told=bool(payloads))
        self._state = replace(self._state, cursor=recorded.id)
        return True

    def _note_success(self, *, told: bool) -> None:
        """Forget failures: of an event of several payloads the first may be taken on every try, and the next never."""
        if told:
            now = self._clock()
            self._state = replace(self._state, failures=0, failing_since=None, error="", tried=now, delivered=now)

    async def _note(self, payload: Payload, outcome: Outcome) -> None:
        """Note what a webhook was told, for whoever has made it."""
        keep = self._keep()
        if keep and self._sink.name.startswith(webhooks.PREFIX):
            told, name = delivery_document(self._sink, payload, outcome), self._sink.name.removeprefix(webhooks.PREFIX)
            await self._metadata.write(webhooks.note_delivery, name, self._clock(), told, keep)

    def _gives_up(self, problem: str, recorded: Recorded) -> bool:
        now, state = self._clock(), self._state
        since = state.failing_since if state.failing_since is not None else now
        self._state = replace(state, failures=state.failures + 1, failing_since=since, tried=now, error=problem)
        if state.failures == 0:
            self._log.warning("a sink cannot be told", sink=self._sink.name, reason=problem, event_id=recorded.id)
        if not self._sink.give_up or now - since < self._sink.give_up:
            return False
        self._log.error("an event is given up", sink=self._sink.name, reason=problem, event_id=recorded.id)
        self._state = replace(self._state, failures=0, failing_since=None, given_up=state.given_up + 1)
        return True

    async def _save(self) -> bool:
        """Write the cursor; `False` when another process has moved it, which counts then."""
        wanted, self._saved_at = self._state, self._clock()
        if wanted == self._saved:
            return True
        self._adopt_state(await self._metadata.write(sinks.save, self._saved.cursor, wanted))
        return self._state == wanted

    async def _adopt(self) -> None:
        """Go by a cursor that somebody has moved."""
        found = await self._metadata.read(sinks.find, self._sink.name)
        if found is None or found.cursor != self._saved.cursor:
            self._adopt_state(found)

    def _adopt_state(self, found: SinkState | None) -> None:
        if found is None:
            self._saved = self._state  # nothing is left to write
            raise SinkForgotten(f"sink {self._sink.name} was removed")
        self._state = self._saved = found

    async def _wait(self, seconds: float) -> None:
        """Until the next try is due, or somebody has moved the cursor."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 1.0))
            found = await self._metadata.read(sinks.find, self._sink.name)
            if found is None or found.cursor != self._saved.cursor:
                return
