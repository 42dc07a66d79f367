"""Deadlines for clients: to send a head and a body, and to take a response.

They are checked once a second, by what the connection waits for and how far that has come.
"""

from dataclasses import dataclass
from enum import Enum


class Waits(Enum):
    """What a connection waits for."""

    IDLE = "the first byte of a request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    OTHERS = "something other than the client"


class Late(Enum):
    """What is late."""

    REQUEST = "no request"
    HEAD = "not the whole head"
    BODY = "no byte of the body"
    RATE = "too little of the body"
    TAKING = "no byte of the response was taken, or too few"


@dataclass(frozen=True, slots=True)
class Patience:
    """Deadlines in seconds.

    Attributes:
        idle_seconds: for the first byte of a request.
        head_seconds: for a whole head, from its first byte on.
        stall_seconds: for the next byte of a body, and for a client to take the next byte of a response.
        body_seconds: the period over which the rate of a body is measured.
        body_rate: the least bytes a second of a body; 0: any.
        taking_seconds: the period over which the rate of taking a response is measured.
        taking_rate: the least bytes a second that a client takes; 0: any.
    """

    idle_seconds: float = 75.0
    head_seconds: float = 30.0
    stall_seconds: float = 300.0
    body_seconds: float = 60.0
    body_rate: int = 1024
    taking_seconds: float = 60.0
    taking_rate: int = 1024


_LEAST = 1e-6
"""Seconds of a period that begins with this check."""
IMPATIENCE = Patience(idle_seconds=2.0, head_seconds=5.0)
"""For clients that only get a refusal."""


class Pace:
    """Measures the progress of one connection.

    Args:
        now: seconds of the loop's clock.
    """

    def __init__(self, now: float) -> None:
        self._awaited: tuple[Waits, int] | None = None
        self._since = now
        self._looked = now
        self._received = 0
        self._received_at = now
        self._window = 0.0
        self._window_received = 0
        self._taken = 0
        self._taken_at = self._asked_at = now
        self._taking = 0.0
        self._taking_from = 0

    def check(self, now: float, waits: Waits, request: int, received: int, patience: Patience) -> Late | None:
        """Return what is late, if anything.

        Args:
            now: seconds of the loop's clock.
            waits: what the connection waits for.
            request: the number of the request on this connection.
            received: bytes of the body, if it waits for one.
            patience: the deadlines.
        """
        passed, self._looked = now - self._looked, now
        if waits is Waits.OTHERS:
            self._received_at = now  # the server's time is not the client's
            return None
        if self._awaited != (waits, request):
            self._awaited = waits, request
            self._since = self._received_at = now
            self._received, self._window, self._window_received = received, 0.0, received
            return None
        if waits is Waits.BODY:
            return self._check_body(now, received, passed, patience)
        if waits is Waits.HEAD:
            return Late.HEAD if now - self._since >= patience.head_seconds else None
        return Late.REQUEST if now - self._since >= patience.idle_seconds else None

    def _check_body(self, now: float, received: int, passed: float, patience: Patience) -> Late | None:
        if received != self._received:
            self._received, self._received_at = received, now
        if now - self._received_at >= patience.stall_seconds:
            return Late.BODY
        self._window += passed
        if self._window < patience.body_seconds:
            return None
        if received - self._window_received < patience.body_rate * patience.body_seconds:
            return Late.RATE
        self._window, self._window_received = 0.0, received
        return None

    def check_taking(self, now: float, taken: int | None, patience: Patience) -> Late | None:
        """Return `Late.TAKING` when a client takes too little of a response, or nothing.

        Args:
            now: seconds of the loop's clock.
            taken: bytes that it has taken on this connection; `None` when nothing waits to be sent.
            patience: the deadlines.
        """
        passed, self._asked_at = now - self._asked_at, now
        if taken is None:
            self._taken_at, self._taking = now, 0.0
            return None
        if taken != self._taken:
            self._taken, self._taken_at = taken, now
        if now - self._taken_at >= patience.stall_seconds:
            return Late.TAKING
        if not self._taking:
            self._taking_from, passed = taken, min(passed, _LEAST)
        self._taking += passed
        if self._taking < patience.taking_seconds:
            return None
        slow = taken - self._taking_from < patience.taking_rate * self._taking
        self._taking = 0.0
        return Late.TAKING if slow else None
