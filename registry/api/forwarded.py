"""Scheme, host and client as a trusted proxy reports them (RFC 7239 `Forwarded`, `X-Forwarded-*`)."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.types import Scope

_PAIR = re.compile(r'(?<![A-Za-z])([A-Za-z]+)=(?:"([^"]*)"|([^;,\s"]*))')
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")
_OF_PROXIES = frozenset({b"forwarded", b"via", b"x-real-ip"})
_TOLD = "basegate.client_told"
"""In a scope: its client is the one that a trusted proxy has told."""
_SCHEMES = frozenset({"http", "https"})

Networks = Sequence[IPv4Network | IPv6Network]


def is_trusted(address: str, trusted: Networks) -> bool:
    """Whether the address lies in one of the networks."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    # A socket that serves IPv6 and IPv4 shows IPv4 peers as ::ffff:192.0.2.1.
    plain = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(plain in network for network in trusted)


def apply_forwarded(scope: Scope, trusted: Networks) -> None:
    """Set the scope's scheme, host and client from the headers, if the peer is a trusted proxy."""
    if not trusted or not is_trusted((scope.get("client") or ("", 0))[0], trusted):
        return
    headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    chain, scheme, host = _forwarded(headers) or _x_forwarded(headers)
    if scheme in _SCHEMES:
        scope["scheme"] = scheme
    if _HOST.fullmatch(host):
        others = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
        scope["headers"] = [*others, (b"host", host.encode("ascii"))]
    client = _client(chain, trusted)
    if client:
        scope["client"] = (client, 0)
        scope[_TOLD] = True


def is_client_known(scope: Scope) -> bool:
    """Whether the scope's client is who asks, as far as headers tell: no proxy stands between that is not believed.

    A proxy is believed when it is a trusted one and has told the address of its client.
    """
    return bool(scope.get(_TOLD)) or not any(_is_of_proxy(name.lower()) for name, _ in scope["headers"])


def _is_of_proxy(header: bytes) -> bool:
    return header in _OF_PROXIES or header.startswith(b"x-forwarded-")


Told = tuple[list[str], str, str]


def _forwarded(headers: Sequence[tuple[bytes, str]]) -> Told | None:
    text = ",".join(value for name, value in headers if name == b"forwarded")
    if not text:
        return None
    hops = [{key.lower(): quoted or plain for key, quoted, plain in _PAIR.findall(hop)} for hop in text.split(",")]
    chain = [_address(hop["for"]) for hop in hops if "for" in hop]
    return chain, hops[-1].get("proto", "").lower(), hops[-1].get("host", "")


def _x_forwarded(headers: Sequence[tuple[bytes, str]]) -> Told:
    def listed(wanted: bytes) -> list[str]:
        return [part.strip() for name, value in headers if name == wanted for part in value.split(",")]

    chain = [_address(entry) for entry in listed(b"x-forwarded-for")]
    # The last entry was added by the proxy we trust; earlier ones came from outside.
    scheme = (listed(b"x-forwarded-proto") or [""])[-1].lower()
    host = (listed(b"x-forwarded-host") or [""])[-1]
    return chain, scheme, host


def _address(text: str) -> str:
    bare = text.strip().strip('"')
    if bare.startswith("["):
        return bare[1:].partition("]")[0]
    return bare.partition(":")[0] if bare.count(":") == 1 else bare


def _client(chain: Sequence[str], trusted: Networks) -> str:
    """The nearest address in the chain that is not a trusted proxy."""
    for address in reversed(chain):
        if not is_trusted(address, trusted):
            try:
                return str(ip_address(address))
            except ValueError:
                return ""
    return ""
