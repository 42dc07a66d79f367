"""Disable TCP pacing (BBR) for peers on this machine: there is no network between them that could be congested."""

import socket
from contextlib import suppress
from typing import Protocol

_UNPACED = b"reno"
"""A congestion control that every kernel has and allows; it sends as soon as the peer has room."""


class Options(Protocol):
    """A connected socket."""

    def setsockopt(self, level: int, option: int, value: bytes, /) -> None:
        """Set an option."""
        ...


def send_at_once(connected: Options, peer: str, own: str) -> None:
    """Disable pacing for a peer on this machine; BBR paces with a timer for every few packets.

    Args:
        connected: the socket.
        peer: the other end's address.
        own: this end's address; equal to `peer` only when both ends are on one machine.
    """
    if peer == own:
        with suppress(OSError):  # any other congestion control is only slower
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _UNPACED)
