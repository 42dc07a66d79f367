"""Limits on the number of connections, in all and from one address."""

import resource
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network

from registry.http.error_response import too_many_connections
from registry.http.request_head import HeadRefused

SPARE_DESCRIPTORS = 256
"""Descriptors reserved for databases, files and everything but connections; at most a quarter of all."""
FEWEST = 8
"""Connections that are always allowed, however few descriptors there are."""
WANTED_DESCRIPTORS = 65_536
FOR_EACH = 2
"""Descriptors of a connection: its socket, and a worker's duplicate."""
REFUSED = 64
"""Connections over a limit that get an answer; further ones are closed at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on connections; 0 means only the number of descriptors limits them.

    Attributes:
        connections: in all.
        connections_per_address: from one address.
        is_exempt: whether an address stands for many clients, as a proxy's does.
    """

    connections: int = 0
    connections_per_address: int = 0
    is_exempt: Callable[[str], bool] = lambda _: False


class ConnectionSlot:
    """The slot of one connection.

    Attributes:
        refusal: why the connection is over a limit: the answer to its first request; `None` when it is not.
    """

    def __init__(self, refusal: HeadRefused | None, leave: Callable[[], None]) -> None:
        self.refusal = refusal
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """Free the slot. Safe to call twice."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class ConnectionLimits:
    """Counts connections. Used in the event loop's thread.

    Args:
        limits: may be replaced at any time.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._descriptors = raise_descriptors()
        self._all = 0
        self._sent_fields = 0
        self._by_block: Counter[str] = Counter()

    def take(self, address: str) -> ConnectionSlot | None:
        """A slot for a connection from this address; `None` when it must be closed at once."""
        block = block_of(address)
        refusal = self._refusal(address, block)
        if refusal is None:
            self._all += 1
            self._by_block[block] += 1
            return ConnectionSlot(None, partial(self._left, block))
        if self._sent_fields >= REFUSED:
            return None
        self._sent_fields += 1
        return ConnectionSlot(refusal, self._refused_left)

    def _left(self, block: str) -> None:
        self._all -= 1
        self._by_block[block] -= 1
        if not self._by_block[block]:
            del self._by_block[block]

    def _refused_left(self) -> None:
        self._sent_fields -= 1

    def _refusal(self, address: str, block: str) -> HeadRefused | None:
        limits = self.limits
        maximum = self._maximum()
        if maximum and self._all >= maximum:
            return too_many_connections(f"this registry has as many connections as it may ({maximum}): try again")
        most = limits.connections_per_address
        if most and self._by_block[block] >= most and not limits.is_exempt(address):
            return too_many_connections(
                f"your address has as many connections as it may ({most}): close some, or try again"
            )
        return None

    def _maximum(self) -> int:
        spare = min(SPARE_DESCRIPTORS + REFUSED, self._descriptors // 4)
        possible = max(FEWEST, (self._descriptors - spare) // FOR_EACH)
        return min(self.limits.connections or possible, possible)


def raise_descriptors() -> int:
    """Raise the limit of descriptors as far as possible; returns the limit."""
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
    """The block of addresses of one client: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))
