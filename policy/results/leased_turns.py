"""Turns at inspecting layers that nodes take by leases in PostgreSQL."""

import asyncio
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

from policy.results import leases
from registry.oci.errors import Unavailable

LEASE_SECONDS = 10.0
_RENEWALS = 4
"""So many in the time of a lease: it ends when all of them but one fail."""


_Soon = Callable[[Callable[[Connection], Any]], "Future[Any]"]
"""Makes a change as soon as it can; the future of its result. Raises Unavailable."""


class LeasedTurns:
    """The turns of one node.

    Args:
        soon: makes a change; in the order in which they are asked for.
        detectors: that inspect here; others have their own turns.
        seconds: after so long without a renewal another node takes over.
    """

    def __init__(self, soon: _Soon, detectors: str, seconds: float = LEASE_SECONDS) -> None:
        self._soon = soon
        self._detectors = detectors
        self._seconds = seconds
        self._node = uuid.uuid4().hex
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="leases", daemon=True)
        self._renewing.start()

    async def take(self, layer: str) -> bool:
        """Have the turn; `False` while another node has it."""
        try:
            has = bool(await asyncio.wrap_future(self._taken(layer)))
        except BaseException:
            self.done(layer)
            raise
        if not has:
            with self._lock:
                self._held.discard(layer)
        return has

    def announce(self, layer: str) -> None:
        """Take the turn for a layer that is being read already."""
        with suppress(Unavailable):
            self._taken(layer)

    def done(self, layer: str) -> None:
        """Let others have the turn."""
        with self._lock:
            held = layer in self._held
            self._held.discard(layer)
        if held:
            with suppress(Unavailable):  # it ends by itself
                self._soon(lambda connection: leases.give_back(connection, layer, self._detectors, self._node))

    def close(self) -> None:
        """Let others have all turns."""
        self._closing.set()
        self._renewing.join()
        with suppress(Unavailable):
            self._soon(lambda connection: leases.give_back_all(connection, self._node))

    def _taken(self, layer: str) -> "Future[Any]":
        with self._lock:
            self._held.add(layer)
        return self._soon(lambda connection: leases.take(connection, layer, self._detectors, self._node, self._seconds))

    def _renew(self) -> None:
        while not self._closing.wait(self._seconds / _RENEWALS):
            if self._held:
                # Without the database nobody can take over either.
                with suppress(Exception):
                    self._soon(lambda connection: leases.renew(connection, self._node, self._seconds)).result(
                        self._seconds
                    )
