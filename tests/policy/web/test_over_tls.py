"""Over TLS the cookie is one that no plain connection and no other name can set or see."""

import ssl
from pathlib import Path
from typing import Any

from registry.cli.certificate_authority import make_certificates
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
