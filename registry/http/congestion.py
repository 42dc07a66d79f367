"""Disable TCP pacing (BBR) for peers on this machine: there is no network between them that could be congested."""

import socket
from contextlib import suppress
from typing import Protocol

_UNPACED = b"reno"
"""The congestion control that every kernel has and lets everybody choose; it sends as soon as the peer has room."""


class Options(Protocol):
    """What is needed of a connected socket."""

    def setsockopt(self, level: int, option: int, value: bytes, /) -> None:
        """Set an option."""
        ...


def send_at_once(connected: Options, peer: str, own: str) -> None:
    """Send to a peer on this machine without pacing, which BBR does with a timer for every few packets.

    Args:
        connected: the socket.
        peer: the other end's address.
        own: this end's address; the same only where both ends are on one machine.
    """
    if peer == own:
        with suppress(OSError):  # whatever the kernel does instead is only slower
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _UNPACED)
