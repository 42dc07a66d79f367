"""Names that have another address when a connection is made than when they were looked at (DNS rebinding)."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from registry.oci.names import Tag
from registry.registry_client.addresses import Reach, addresses_of
from registry.registry_client.client import RegistryClient, nobody
from registry.registry_client.endpoint import Endpoint
from registry.registry_client.errors import Unusable
from tests.hostile_server import Heard, answer, hostile
from tests.registry.registry_client.clients import APP, with_client
from tests.registry.registry_client.test_hostile_registries import own_address

OUTSIDE = "outside.example"
NAMES = (OUTSIDE, OUTSIDE.encode())
V1 = Tag("v1")
Leading = Callable[[str], bytes]


def rebound(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """The name is that address when it is first looked at, and loopback ever after."""
    real, answers = socket.getaddrinfo, [address]

    def getaddrinfo(name: Any, *rest: Any, **named: Any) -> Any:
        if name in NAMES:
            name = answers.pop() if answers else "127.0.0.1"
        return real(name, *rest, **named)

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)


def redirection(url: str) -> bytes:
    """To the other place."""
    return answer("307 Temporary Redirect", Location=url)


def token_service(url: str) -> bytes:
    """At the other place."""
    return answer("401 Unauthorized", WWW_Authenticate=f'Bearer realm="{url}"')


@pytest.mark.parametrize("leading", [redirection, token_service])
def test_nothing_is_sent_to_a_name_that_has_turned_inside(monkeypatch: pytest.MonkeyPatch, leading: Leading) -> None:
    """Neither a request nor credentials reach what listens on this machine."""
    address = own_address()
    with hostile(lambda _: [answer("200 OK", b'{"token": "t"}')]) as inner:
        url = f"http://{OUTSIDE}:{inner.host.partition(':')[2]}/"

        def answers(_: Heard) -> Iterable[bytes]:
            return [leading(url)]

        rebound(monkeypatch, address)
        with hostile(answers, address) as server, pytest.raises(Unusable, match="loopback from here"):
            with_client(server.host, lambda client: client.pull.resolve(APP, V1), ("alice", "s"), plain_http=True)
        assert inner.heard == []


def test_a_name_that_stays_where_it_was_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is that of the registry each time."""
    address = own_address()
    digest = "sha256:" + "0" * 64

    def getaddrinfo(name: Any, *rest: Any, **named: Any) -> Any:
        return real(address if name in NAMES else name, *rest, **named)

    real = socket.getaddrinfo
    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    with hostile(lambda _: [answer("200 OK", Docker_Content_Digest=digest)], address) as elsewhere:
        url = f"http://{OUTSIDE}:{elsewhere.host.partition(':')[2]}/"
        with hostile(lambda _: [redirection(url)], address) as server:
            found = with_client(server.host, lambda client: client.pull.resolve(APP, V1), plain_http=True)
    assert found == digest


def test_a_registry_that_strangers_name_does_not_turn_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked at when it was named is looked at again when it is connected to."""
    with hostile(lambda _: [answer("200 OK")]) as inner:
        host = f"{OUTSIDE}:{inner.host.partition(':')[2]}"
        rebound(monkeypatch, own_address())
        asyncio.run(addresses_of(host))
        endpoint = replace(Endpoint.parse(host, plain_http=True, ca_files=()), deepest=Reach.PRIVATE)
        with pytest.raises(Unusable, match="loopback from here: nothing was asked"):
            asyncio.run(checked(endpoint))
        assert inner.heard == []


async def checked(endpoint: Endpoint) -> None:
    """Ask whether it is a registry."""
    async with RegistryClient(endpoint, nobody) as client:
        await client.pull.check()
