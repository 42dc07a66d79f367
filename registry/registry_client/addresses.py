"""Where a registry may send its client: never further inside than the registry itself is.

A registry answers with redirections, and with the address of its token service. Followed blindly, a registry on the
internet could have this machine ask its own loopback services, or the metadata service of a cloud (169.254.169.254).
"""

import asyncio
import socket
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.request import getproxies, proxy_bypass

from registry.oci.image_reference import split_port
from registry.registry_client.errors import Unreachable, Unusable

Address = IPv4Address | IPv6Address


class Reach(IntEnum):
    """From how far away an address can be reached; the greater, the fewer should know of it."""

    PUBLIC = 0
    PRIVATE = 1
    LINK_LOCAL = 2
    LOOPBACK = 3


def reach_of(address: Address) -> Reach:
    """The reach of an address; an IPv4 address in an IPv6 one counts as what it is."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    if inner.is_loopback or inner.is_unspecified:
        return Reach.LOOPBACK
    if inner.is_link_local or inner.is_multicast:
        return Reach.LINK_LOCAL
    return Reach.PUBLIC if inner.is_global else Reach.PRIVATE


async def addresses_of(host: str) -> list[Address]:
    """The addresses of `HOST[:PORT]`, in the order to try; raises Unreachable when the name has none."""
    name, _ = split_port(host)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(f"the name {name} cannot be resolved: check it, and the network") from None
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


async def require_followable(origin: str, target: str, scheme: str) -> None:
    """Raise Unusable when a registry sends its client further inside than it is itself.

    Loopback to link-local is further inside too: nobody's storage is there. Where a proxy makes the connection, names
    are its to resolve, and only written addresses are looked at.

    Args:
        origin: `HOST[:PORT]` of the registry.
        target: `HOST[:PORT]` that it leads to.
        scheme: of the target.
    """
    if target == origin:
        return
    if is_proxied(target, scheme):
        reaches = _written(target)
        own = max(_written(origin), default=Reach.PUBLIC)
    else:
        reaches = [reach_of(address) for address in await addresses_of(target)]
        # Of several addresses the farthest counts: a name with a public one does not get inside by a second one.
        own = min(reach_of(address) for address in await addresses_of(origin))
    for reach in reaches:
        if reach > own or (reach is Reach.LINK_LOCAL and own is not reach):
            raise Unusable(
                f"{origin} leads to {target}, which is {reach.name.lower().replace('_', '-')} from here and {origin} "
                "is not: that was not followed. Ask who runs it, or use the registry's inner address"
            )


def _written(host: str) -> list[Reach]:
    name, _ = split_port(host)
    try:
        return [reach_of(ip_address(name))]
    except ValueError:
        return [Reach.LOOPBACK] if name.lower() == "localhost" else []


def is_proxied(host: str, scheme: str) -> bool:
    """Whether the environment has a proxy make the connections to a host."""
    name, _ = split_port(host)
    proxies = getproxies()
    return bool(proxies.get(scheme) or proxies.get("all")) and not proxy_bypass(name)
