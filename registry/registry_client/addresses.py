"""Where a registry may send its client: never further inside than the registry itself is.

A registry answers with redirections, and with the address of its token service. Followed blindly, a registry on the
internet could have this machine ask its own loopback services, or the metadata service of a cloud (169.254.169.254).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.request import getproxies, proxy_bypass

from registry.oci.image_reference import split_port
from registry.registry_client.errors import Unreachable, Unusable

Address = IPv4Address | IPv6Address
Watch = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""The extension `trace` of a request of httpx."""

_IPV4 = 0xFFFF_FFFF
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::ffff:0:0:0/96"))
_LOCALLY_TRANSLATED = IPv6Network("64:ff9b:1::/48")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})


class Reach(IntEnum):
    """From how far away an address can be reached; the greater, the fewer should know of it."""

    PUBLIC = 0
    PRIVATE = 1
    LINK_LOCAL = 2
    LOOPBACK = 3


def reach_of(address: Address) -> Reach:
    """The reach of an address; an IPv4 address in an IPv6 one counts as what it is."""
    if isinstance(address, IPv4Address):
        return _plain_reach(address)
    inner = [_plain_reach(each) for each in _embedded(address)]
    if address in _LOCALLY_TRANSLATED:
        inner.append(Reach.PRIVATE)
    return max(inner) if inner else _plain_reach(address)


def _plain_reach(address: Address) -> Reach:
    if address.is_loopback or address.is_unspecified:
        return Reach.LOOPBACK
    if address.is_link_local or address.is_multicast:
        return Reach.LINK_LOCAL
    return Reach.PUBLIC if address.is_global else Reach.PRIVATE


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that packets to an IPv6 address may be sent on to.

    Mapped and compatible ones (RFC 4291), 6to4 (RFC 3056), Teredo (RFC 4380: its server and its client), ISATAP (RFC
    5214), SIIT (RFC 2765) and NAT64 (RFC 6052, RFC 8215). Networks may have NAT64 prefixes of their own, which do not
    show; the connection stands on this machine's side of them.
    """
    number = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    yield from address.teredo or ()
    ends_so = any(address in each for each in _TRANSLATED) or number >> 32 & _IPV4 in _ISATAP
    if ends_so or (address in _COMPATIBLE and number >> 16):
        yield IPv4Address(number & _IPV4)
    if address in _LOCALLY_TRANSLATED:
        # Of a /48 the IPv4 address stands around the eight bits that are always zero, of a /96 at the end.
        either = (number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF, number & _IPV4
        yield from (IPv4Address(each) for each in either if each)


async def addresses_of(host: str) -> list[Address]:
    """The addresses of `HOST[:PORT]`, in the order to try; raises Unreachable when the name has none."""
    name, _ = split_port(host)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(f"the name {name} cannot be resolved: check it, and the network") from None
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


async def require_followable(
    origin: str, target: str, scheme: str, deepest: Reach = Reach.LOOPBACK
) -> Mapping[str, Any]:
    """Raise Unusable when a registry sends its client further inside than it is itself.

    Loopback to link-local is further inside too: nobody's storage is there. Where a proxy makes the connection, names
    are its to resolve, and only written addresses are looked at.

    Args:
        origin: `HOST[:PORT]` of the registry.
        target: `HOST[:PORT]` that it leads to.
        scheme: of the target.
        deepest: how far inside the registry itself may be.

    Returns:
        Extensions that the request to the target must have: the address that is connected to is looked at again
        before anything is sent, because a name may have another one by then (DNS rebinding).
    """
    if target == origin:
        return within(deepest, origin)
    if is_proxied(target, scheme):
        own = min(deepest, max(_written(origin), default=Reach.PUBLIC))
        for reach in _written(target):
            _require_as_far(own, reach, origin, target)
        return {}
    # Of several addresses the farthest counts: a name with a public one does not get inside by a second one.
    own = min(deepest, *(reach_of(address) for address in await addresses_of(origin)))
    for address in await addresses_of(target):
        _require_as_far(own, reach_of(address), origin, target)
    return {"trace": _watch(lambda reach: _require_as_far(own, reach, origin, target))}


def within(deepest: Reach, host: str) -> Mapping[str, Any]:
    """Extensions of a request to a registry that strangers may name: it is not made to an address further inside."""
    return {"trace": _watch(lambda reach: _require_no_deeper(deepest, host, reach))} if deepest < Reach.LOOPBACK else {}


def require_within(deepest: Reach, host: str, address: Address) -> None:
    """Raise Unusable where an address of a host is further inside than it may be."""
    _require_no_deeper(deepest, host, reach_of(address))


def _require_no_deeper(deepest: Reach, host: str, reach: Reach) -> None:
    if reach > deepest:
        raise Unusable(
            f"{host} is {_word(reach)} from here: nothing was asked there. Whoever runs this registry can allow it"
        )


def _watch(require: Callable[[Reach], None]) -> Watch:
    """Look at the address of each new connection before anything is sent over it."""

    async def watch(event: str, told: Mapping[str, Any]) -> None:
        if event != "connection.connect_tcp.complete":
            return
        stream = told["return_value"]
        address, *_ = stream.get_extra_info("server_addr")
        try:
            require(reach_of(ip_address(str(address).partition("%")[0])))
        except Unusable:
            await stream.aclose()
            raise

    return watch


def _require_as_far(own: Reach, reach: Reach, origin: str, target: str) -> None:
    if reach > own or (reach is Reach.LINK_LOCAL and own is not reach):
        raise Unusable(
            f"{origin} leads to {target}, which is {_word(reach)} from here and {origin} is not: that was not "
            "followed. Ask who runs it, or use the registry's inner address"
        )


def _word(reach: Reach) -> str:
    return reach.name.lower().replace("_", "-")


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
