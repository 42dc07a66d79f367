"""How many connections there may be at once, in all and from one address."""

import resource
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network

from registry.http.error_response import no_seat
from registry.http.request_head import HeadRefused

SPARE_DESCRIPTORS = 256
"""Descriptors, or a quarter of them, that are left for databases, files and everything else that is no connection."""
FEWEST = 8
"""Connections that are taken in however few descriptors there are."""
WANTED_DESCRIPTORS = 65_536
FOR_EACH = 2
"""Descriptors that a connection may hold: its socket, and a worker's duplicate of it."""
TOLD = 64
"""Connections over a limit that are kept until they have been told so; those beyond are closed at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections there may be; 0 is no limit but that of the descriptors.

    Attributes:
        connections: in all.
        connections_per_address: from one address.
        is_exempt: whether an address stands for many clients, as a proxy's does.
    """

    connections: int = 0
    connections_per_address: int = 0
    is_exempt: Callable[[str], bool] = lambda _: False


class ConnectionSlot:
    """One connection's place.

    Attributes:
        refusal: why there is none for it, which its first request will be told; `None` when there is.
    """

    def __init__(self, refusal: HeadRefused | None, leave: Callable[[], None]) -> None:
        self.refusal = refusal
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """The connection is over. Safe to call twice."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class ConnectionLimits:
    """Counts connections; of the loop's thread.

    Args:
        limits: others may be put in their place at any time.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._descriptors = raise_descriptors()
        self._all = 0
        self._told = 0
        self._by_block: Counter[str] = Counter()

    def take(self, address: str) -> ConnectionSlot | None:
        """A seat for a connection from this address; `None` when it is to be closed at once."""
        block = block_of(address)
        refusal = self._refusal(address, block)
        if refusal is None:
            self._all += 1
            self._by_block[block] += 1
            return ConnectionSlot(None, partial(self._left, block))
        if self._told >= TOLD:
            return None
        self._told += 1
        return ConnectionSlot(refusal, self._told_one)

    def _left(self, block: str) -> None:
        self._all -= 1
        self._by_block[block] -= 1
        if not self._by_block[block]:
            del self._by_block[block]

    def _told_one(self) -> None:
        self._told -= 1

    def _refusal(self, address: str, block: str) -> HeadRefused | None:
        limits = self.limits
        maximum = self._maximum()
        if maximum and self._all >= maximum:
            return no_seat(f"this registry has as many connections as it may ({maximum}): try again")
        most = limits.connections_per_address
        if most and self._by_block[block] >= most and not limits.is_exempt(address):
            return no_seat(f"your address has as many connections as it may ({most}): close some, or try again")
        return None

    def _maximum(self) -> int:
        spare = min(SPARE_DESCRIPTORS + TOLD, self._descriptors // 4)
        possible = max(FEWEST, (self._descriptors - spare) // FOR_EACH)
        return min(self.limits.connections or possible, possible)


def raise_descriptors() -> int:
    """Ask for as many descriptors as this process may have; returns how many those are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return WANTED_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted


def block_of(address: str) -> str:
    """What counts as one address: IPv4's own, and of IPv6 the /64 that one client is given."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))
