"""How long a client may take over what is its turn: a head, a body, and the bytes that it is sent.

Nothing on the way of a request is asked to keep time: once a second it is looked at what the connection waits for and
how far that has come.
"""

from dataclasses import dataclass
from enum import Enum


class Waits(Enum):
    """What a connection waits for."""

    IDLE = "the first byte of a request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    OTHERS = "something that is not the client's to do"


class Late(Enum):
    """What did not come in time."""

    REQUEST = "no request"
    HEAD = "not the whole head"
    BODY = "no byte of the body"
    RATE = "too little of the body"
    TAKING = "no byte of the response was taken, or too few"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds.

    Attributes:
        idle_seconds: for the first byte of a request.
        head_seconds: for a whole head, from its first byte on.
        stall_seconds: for the next byte of a body, and for a client to take the next byte of a response.
        body_seconds: over how long the rate of a body is looked at.
        body_rate: bytes a second that must come of a body; 0: any.
        taking_seconds: over how long the rate is looked at in which a client takes what is sent to it.
        taking_rate: bytes a second that it must take; 0: any.
    """

    idle_seconds: float = 75.0
    head_seconds: float = 30.0
    stall_seconds: float = 300.0
    body_seconds: float = 60.0
    body_rate: int = 1024
    taking_seconds: float = 60.0
    taking_rate: int = 1024


_LEAST = 1e-6
"""Seconds, for a spell that begins with this look."""
IMPATIENCE = Patience(idle_seconds=2.0, head_seconds=5.0)
"""With clients that get no more than a refusal."""


class Pace:
    """What one connection has waited for until now.

    Args:
        now: seconds of the loop's clock.
    """

    def __init__(self, now: float) -> None:
        self._what: tuple[Waits, int] | None = None
        self._since = now
        self._looked = now
        self._came = 0
        self._came_at = now
        self._spell = 0.0
        self._spell_came = 0
        self._taken = 0
        self._taken_at = self._asked_at = now
        self._taking = 0.0
        self._taking_from = 0

    def look(self, now: float, waits: Waits, request: int, came: int, patience: Patience) -> Late | None:
        """Say what is late.

        Args:
            now: seconds of the loop's clock.
            waits: what for.
            request: which request of the connection that is.
            came: bytes of it that have come, where it is a body.
            patience: how long is waited.
        """
        passed, self._looked = now - self._looked, now
        if waits is Waits.OTHERS:
            self._came_at = now  # the server's time is not the client's
            return None
        if self._what != (waits, request):
            self._what = waits, request
            self._since = self._came_at = now
            self._came, self._spell, self._spell_came = came, 0.0, came
            return None
        if waits is Waits.BODY:
            return self._look_at_body(now, came, passed, patience)
        if waits is Waits.HEAD:
            return Late.HEAD if now - self._since >= patience.head_seconds else None
        return Late.REQUEST if now - self._since >= patience.idle_seconds else None

    def _look_at_body(self, now: float, came: int, passed: float, patience: Patience) -> Late | None:
        if came != self._came:
            self._came, self._came_at = came, now
        if now - self._came_at >= patience.stall_seconds:
            return Late.BODY
        self._spell += passed
        if self._spell < patience.body_seconds:
            return None
        if came - self._spell_came < patience.body_rate * patience.body_seconds:
            return Late.RATE
        self._spell, self._spell_came = 0.0, came
        return None

    def look_at_taking(self, now: float, taken: int | None, patience: Patience) -> Late | None:
        """Say whether a client takes nothing, or too little, of what is sent to it.

        Args:
            now: seconds of the loop's clock.
            taken: bytes that it has, over the whole connection; `None` while nothing waits for it to take more.
            patience: how long is waited.
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
