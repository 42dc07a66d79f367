"""A cached response that is sent when somebody has confirmed it; it takes the place of a request cycle meanwhile."""

from collections.abc import Callable
from typing import Protocol

Confirm = Callable[[Callable[[bytes | None], None]], None]
"""Asks whether a cached response holds. What it is given is called once, later, in the event loop: with the response,
or with `None` when the application has to answer.
"""


class Sender(Protocol):
    """The connection."""

    def write(self, data: bytes) -> None:
        """Queue bytes to the client."""
        ...

    def delivered(self, transfer: "Unconfirmed") -> None:
        """The whole response is sent."""
        ...

    def serve(self, raw: bytes) -> None:
        """Let the application answer the request with this head."""
        ...


class Unconfirmed:
    """One such response.

    Args:
        raw: the head of the request.
        sender: the connection.

    Attributes:
        keeps: whether the connection is used again afterwards.
        complete: always False: once it is answered, it is detached from its connection.
    """

    __slots__ = ("_raw", "_sender", "keeps")
    complete = False

    def __init__(self, raw: bytes, sender: Sender) -> None:
        self.keeps = True
        self._raw = raw
        self._sender = sender

    def disconnect(self) -> None:
        """Do nothing: the client is gone, and what is written to it goes nowhere."""

    def answered(self, response: bytes | None) -> None:
        """Send the response, or have the application answer."""
        if response is None:
            self._sender.serve(self._raw)
        else:
            self._sender.write(response)
            self._sender.delivered(self)
