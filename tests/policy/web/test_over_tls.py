"""Over TLS the cookie is one that no plain connection and no other name can set or see."""

import ssl
from pathlib import Path
from typing import Any

from registry.cli.certificate_authority import make_certificates
from tests.clients.trees import cleared_image
from tests.policy.live import live_gateway
from tests.policy.web.conftest import OWN


def test_the_cookie_is_bound_to_this_host(tmp_path: Path) -> None:
    """`__Host-`, which browsers take with Secure, with the path `/` and without a domain only."""
    made = make_certificates(tmp_path / "data")
    tls: dict[str, Any] = {"tls_cert": made.certificate, "tls_key": made.key}
    with live_gateway(tmp_path / "data", made.ca, **tls) as gateway:
        verify = ssl.create_default_context(cafile=made.ca)
        with gateway.registry.client(verify=verify) as client:
            data = {"username": "reader", "password": gateway.secrets["reader"]}
            cookie = client.post("/sign-in", data=data, headers=OWN).headers["set-cookie"]
            assert client.get("/").status_code == 200
    parts = {part.strip() for part in cookie.split(";")}
    assert cookie.startswith("__Host-basegate=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= parts
    assert not any(part.startswith("Domain") for part in parts)


def test_behind_a_proxy_the_address_is_that_which_the_browser_sees(tmp_path: Path) -> None:
    """`server.public_url`: for the cookie, and for the commands that a page offers."""
    with live_gateway(tmp_path / "data", server={"public_url": "https://registry.lab.example"}) as gateway:
        gateway.push(tmp_path / "good", "team/app:good", cleared_image())
        with gateway.registry.client() as client:
            data = {"username": "reader", "password": gateway.secrets["reader"]}
            cookie = client.post("/sign-in", data=data, headers=OWN).headers["set-cookie"]
        with gateway.client("reader") as client:
            page = client.get("/r/team/app:good").text
    assert cookie.startswith("__Host-basegate=")
    assert "docker pull registry.lab.example/team/app:good" in page
    assert "--plain-http" not in page
