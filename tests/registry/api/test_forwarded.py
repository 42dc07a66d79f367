"""Forwarded headers count only when a trusted proxy sent them."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from registry.api.forwarded import apply_forwarded
from tests.halfway import HalfwayUpload
from tests.repository import Repository
from tests.servers import open_registry

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


def _scope(peer: str = "10.1.1.1", **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"client": (peer, 1), "scheme": "http", "headers": [(b"host", b"inner:5000"), *pairs]}
    apply_forwarded(scope, TRUSTED)
    return scope


def _host(scope: dict[str, Any]) -> bytes:
    return dict(scope["headers"])[b"host"]  # type: ignore[no-any-return]


def test_x_forwarded_from_a_trusted_proxy() -> None:
    """Scheme, host and client are those outside the proxy."""
    scope = _scope(x_forwarded_proto="https", x_forwarded_host="hub.example:8443", x_forwarded_for="192.0.2.7")
    assert (scope["scheme"], _host(scope), scope["client"][0]) == ("https", b"hub.example:8443", "192.0.2.7")


def test_forwarded_from_a_trusted_proxy() -> None:
    """RFC 7239 says the same in one header, and wins over the others."""
    scope = _scope(forwarded='for="[2001:db8::7]:99";proto=https;host="hub.example"', x_forwarded_host="other")
    assert (scope["scheme"], _host(scope), scope["client"][0]) == ("https", b"hub.example", "2001:db8::7")


def test_a_trusted_proxy_on_a_socket_for_both_families() -> None:
    """An IPv4 peer of an IPv6 socket is the same proxy."""
    assert _scope("::ffff:10.1.1.1", x_forwarded_proto="https")["scheme"] == "https"


@pytest.mark.parametrize("peer", ["192.0.2.1", "", "not-an-address"])
def test_nobody_else_is_believed(peer: str) -> None:
    """A caller that is no trusted proxy changes nothing."""
    scope = _scope(peer, x_forwarded_proto="https", x_forwarded_host="evil.example", x_forwarded_for="10.9.9.9")
    assert (scope["scheme"], _host(scope), scope["client"][0]) == ("http", b"inner:5000", peer)


def test_client_is_the_nearest_address_that_is_not_trusted() -> None:
    """What a client wrote itself stands further left and is not believed."""
    assert _scope(x_forwarded_for="1.1.1.1, 192.0.2.7, 10.2.2.2")["client"][0] == "192.0.2.7"


@pytest.mark.parametrize("host", ['x"; realm="evil', "a b", "a/b", "", "a,b c"])
def test_a_host_that_is_none_is_dropped(host: str) -> None:
    """A forged host cannot break out of a challenge's quotes."""
    assert _host(_scope(x_forwarded_host=host)) == b"inner:5000"


def test_a_scheme_that_is_none_is_dropped() -> None:
    """Only http and https exist here."""
    assert _scope(x_forwarded_proto="gopher")["scheme"] == "http"


def test_a_client_behind_a_proxy_has_so_many_requests(tmp_path: Path) -> None:
    """As many as it may have connections; others behind the same proxy have their own."""
    server = {"trusted_proxies": ["127.0.0.1"], "connections_per_address": 1}
    one, other = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
    with open_registry(tmp_path, server=server) as live, live.client(headers=one) as client:
        upload = HalfwayUpload(live.url + Repository(client, "a").open_upload(), fields=one)
        while (refused := client.get("/v2/")).status_code == 200:
            pass
        assert refused.status_code == 503
        assert client.get("/v2/", headers=other).status_code == 200
        assert upload.go_on() == 201
