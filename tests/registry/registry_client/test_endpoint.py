"""Addresses of registries, challenges, and what an address can be reached from."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from registry.registry_client.addresses import Reach, reach_of, require_followable
from registry.registry_client.challenge import Challenge, challenges_of
from registry.registry_client.endpoint import Endpoint, EndpointUnusable
from registry.registry_client.errors import Unusable


@pytest.mark.parametrize(
    ("written", "url", "name"),
    [
        ("registry.example", "https://registry.example", "registry.example"),
        ("https://Registry.Example:8443/", "https://registry.example:8443", "registry.example:8443"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000", "127.0.0.1:5000"),
        ("http://localhost:5000", "http://localhost:5000", "localhost:5000"),
        ("[::1]:5000", "http://[::1]:5000", "[::1]:5000"),
        ("docker.io", "https://registry-1.docker.io", "docker.io"),
        ("https://registry-1.docker.io", "https://registry-1.docker.io", "docker.io"),
    ],
)
def test_an_address_is_read(written: str, url: str, name: str) -> None:
    """Scheme, host, and the name that credentials are stored for."""
    endpoint = Endpoint.parse(written, ca_files=())
    assert (endpoint.url, endpoint.name) == (url, name)


@pytest.mark.parametrize("written", ["", "ftp://x", "https://x/path", "a b", "x:99999", "x:", "https://u:p@x", "x:0"])
def test_no_address(written: str) -> None:
    """What is no HOST[:PORT] is refused."""
    with pytest.raises(EndpointUnusable, match="is no registry"):
        Endpoint.parse(written, ca_files=())


def test_plain_http_is_for_this_machine() -> None:
    """Elsewhere it has to be allowed."""
    with pytest.raises(EndpointUnusable, match="plain HTTP"):
        Endpoint.parse("http://registry.example", ca_files=())
    assert Endpoint.parse("registry.example", ca_files=(), plain_http=True).url == "http://registry.example"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Basic realm="x"', [Challenge("basic", {"realm": "x"})]),
        (
            'Bearer realm="https://a/token",service="s, t",scope="repository:a/b:pull,push"',
            [Challenge("bearer", {"realm": "https://a/token", "service": "s, t", "scope": "repository:a/b:pull,push"})],
        ),
        (
            'Basic realm="basic, bearer", Bearer realm=r',
            [Challenge("bearer", {"realm": "r"}), Challenge("basic", {"realm": "basic, bearer"})],
        ),
        ("Basic", [Challenge("basic", {})]),
        ("Negotiate, Basic", [Challenge("basic", {})]),
    ],
)
def test_challenges(text: str, expected: Sequence[Challenge]) -> None:
    """Each scheme with its parameters, Bearer first; unknown ones are left out."""
    assert challenges_of([text]) == expected


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("2606:4700::1111", Reach.PUBLIC),
        ("10.1.2.3", Reach.PRIVATE),
        ("fd00::1", Reach.PRIVATE),
        ("169.254.169.254", Reach.LINK_LOCAL),
        ("fe80::1", Reach.LINK_LOCAL),
        ("127.9.9.9", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("0.0.0.0", Reach.LOOPBACK),  # noqa: S104
        ("::ffff:127.0.0.1", Reach.LOOPBACK),
        ("::ffff:169.254.169.254", Reach.LINK_LOCAL),
        ("2002:7f00:1::", Reach.LOOPBACK),
        ("::7f00:1", Reach.LOOPBACK),
        ("::ffff:0:127.0.0.1", Reach.LOOPBACK),
        ("64:ff9b::7f00:1", Reach.LOOPBACK),
        ("64:ff9b::a9fe:a9fe", Reach.LINK_LOCAL),
        ("64:ff9b::808:808", Reach.PUBLIC),
        ("64:ff9b:1::808:808", Reach.PRIVATE),
        ("64:ff9b:1::7f00:1", Reach.LOOPBACK),
        ("64:ff9b:1:7f00:0:100::", Reach.LOOPBACK),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", Reach.LOOPBACK),
        ("2606:4700::5efe:10.0.0.1", Reach.PRIVATE),
        ("2606:4700::200:5efe:127.0.0.1", Reach.LOOPBACK),
        ("::", Reach.LOOPBACK),
    ],
)
def test_the_reach_of_addresses(address: str, reach: Reach) -> None:
    """Loopback in whatever clothes is loopback."""
    assert reach_of(ip_address(address)) is reach


def test_a_name_with_a_public_address_gets_no_further_inside_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name server may say what it likes, and something else each time."""
    answers = {"registry.example": ["93.184.216.34", "127.0.0.1"], "127.0.0.1": ["127.0.0.1"]}

    def getaddrinfo(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (address, 0)) for address in answers[name]]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    with pytest.raises(Unusable, match="loopback"):
        asyncio.run(require_followable("registry.example", "127.0.0.1:8080", "http"))
